package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSlowRequestsBesideManyThatAreAnsweredEjectNobody(t *testing.T) {
	inCourt(t, 3, checked, func(t *testing.T, c *court) {
		a := c.subjects[0]
		began := time.Now()
		for i := range 1000 {
			c.wait(5 * time.Millisecond)
			a.Answer(200, client(i%8), time.Now())
		}
		c.forgets()
		for range 20 { // of one client, all at once
			a.Late(began)
		}
		c.wait(time.Second)
		assert.Empty(t, c.asks("A"), "nothing that a probe would have to find out")
		c.wait(10 * time.Second)
		c.hears()
	})
}

func TestLateAnswersCountIfNobodyWasAnsweredMeanwhile(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		a := c.subjects[0]
		c.wait(time.Second)
		a.Answer(200, client(0), time.Now())
		began := time.Now()
		c.wait(5 * time.Second)
		a.Late(began)
		a.Late(began)
		c.hears()
		a.Late(began)
		c.hears("6s A down timeout: 3 answers in a row did not come within the time; back in 3s")
	})
}

func TestAnyAnswerSpeaksForABackend(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for _, status := range []int{200, 404, 500} {
			began := time.Now()
			c.wait(time.Second)
			c.subjects[0].Answer(status, client(0), time.Now())
			for range 9 {
				c.subjects[0].Late(began)
			}
			c.hears()
		}
	})
}

func TestAnswersOfOneBackendDoNotSpeakForAnother(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		began := time.Now()
		c.wait(time.Second)
		c.subjects[1].Answer(200, client(0), time.Now())
		for range 3 {
			c.subjects[0].Late(began)
		}
		assert.Equal(t, CauseTimeout, c.subjects[0].State().Cause)
	})
}

func TestTheLastAnswerIsTheLatest(t *testing.T) {
	var l lastAnswer
	assert.False(t, l.after(0), "there was none")
	l.note(3 * time.Second)
	l.note(2 * time.Second) // by a slower goroutine
	assert.True(t, l.after(2*time.Second))
	assert.False(t, l.after(3*time.Second))
	l.note(3*time.Second + answerGrain)
	assert.True(t, l.after(3*time.Second))
}
