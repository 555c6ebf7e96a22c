package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// late lets n attempts at s that just began get no answer in time.
func late(s *Subject, n int) {
	for range n {
		s.Late(time.Now())
	}
}

// pair is blue, which does the work, and green, which is up and has no weight.
func pair(c *court) (blue, green *Subject) {
	blue, green = c.subjects[0], c.subjects[1]
	green.SetIdle(true)
	c.wait(10 * time.Second)
	c.forgets()
	return blue, green
}

func TestAnIdleBackendDoesNotLetTheOnlyWorkingOneBeEjected(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		blue, _ := pair(c)
		late(blue, 3)
		unreachable(blue, 3)
		c.wait(10 * time.Second)
		c.hears()
	})
}

func TestTheOnlyWorkingBackendIsFoundAgainAtOnceThoughAnIdleOneIsUp(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		blue, _ := pair(c)
		c.probes(errIll, "A")
		c.wait(time.Minute)
		assert.Equal(t, Down, blue.State().Status)
		c.forgets()
		c.probes(nil, "A")
		c.wait(500 * time.Millisecond)
		assert.Equal(t, "1 check passed", blue.State().Why)
	})
}

func TestIdleBackendsAreNoneOfThoseThatStay(t *testing.T) {
	inCourt(t, 6, watched, func(t *testing.T, c *court) {
		for _, s := range c.subjects[3:] {
			s.SetIdle(true)
		}
		for _, s := range c.subjects[:3] {
			unreachable(s, 3)
		}
		c.hears("0s A down connect_failed: 3 connections in a row could not be made: connection refused; back in 3s")
	})
}

func TestIdleBackendsAreNotCompared(t *testing.T) {
	inCourt(t, 4, watched, func(t *testing.T, c *court) {
		c.subjects[3].SetIdle(true)
		answers(c.subjects[3], 200, 0, 40) // the last of what it had to do
		answers(c.subjects[0], 500, 0, 20)
		c.hears()
		answers(c.subjects[1], 200, 0, 20)
		answers(c.subjects[0], 500, 20, 21)
		c.hears("0s A down errors: 21 of 21 clients got a 5xx, of the other backends 0 of 20; back in 3s")
	})
}

func TestWhenTheLastWorkingBackendGetsIdleAPauseEnds(t *testing.T) {
	inCourt(t, 2, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 3)
		c.forgets()
		c.subjects[1].SetIdle(true)
		c.hears("0s A up: no other backend that takes work is up")
		c.subjects[1].SetIdle(true)
		c.subjects[0].SetIdle(true)
		c.subjects[0].SetIdle(false)
		unreachable(c.subjects[0], 9)
		c.hears()
	})
}

func TestAnIdleBackendIsCheckedAndToldOfButNotMoreOften(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		pair(c)
		c.probes(errIll, "A", "B")
		c.wait(30 * time.Second)
		assert.Equal(t, CauseCheck, c.subjects[1].State().Cause)
		c.forgets()
		c.wait(30 * time.Second)
		assert.Len(t, c.asks("B"), 6)
		assert.Greater(t, len(c.asks("A")), 50, "this one is needed")
	})
}

func TestAnIdleBackendThatIsStillAtWorkMayPauseButNotWhenItIsNeeded(t *testing.T) {
	inCourt(t, 2, watched, func(t *testing.T, c *court) {
		a, b := c.subjects[0], c.subjects[1]
		b.SetIdle(true)
		late(b, 3)
		c.hears("0s B down timeout: 3 answers in a row did not come within the time; back in 3s")
		a.SetIdle(true)
		c.hears()
		b.SetIdle(false)
		c.hears("0s B up: no other backend that takes work is up")
		late(b, 3)
		c.hears()
	})
}

func TestABackendThatTakesWorkAgainLetsAnotherBeSpared(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		c.subjects[1].SetIdle(true)
		c.subjects[2].SetIdle(true)
		unreachable(c.subjects[0], 5)
		c.hears()
		c.subjects[1].SetIdle(false)
		c.hears("0s A down connect_failed: 5 connections in a row could not be made: connection refused; back in 3s")
	})
}

func TestWhatIsSaidOfIdlenessAfterRemoveIsIgnored(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		d := c.add("D")
		d.SetIdle(true)
		c.monitor.Remove(d)
		d.SetIdle(false)
		for _, s := range c.subjects[:3] {
			unreachable(s, 3)
		}
		assert.Equal(t, Down, c.subjects[0].State().Status)
		assert.Equal(t, Up, c.subjects[1].State().Status, "of three, two stay")
	})
}
