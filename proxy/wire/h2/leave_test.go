package h2

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// leave asks for the end as a gate does that drains.
func (c *client) leave() *client {
	c.conn.Leave()
	c.conn.nc.SetReadDeadline(time.Unix(1, 0))
	return c
}

const askedToLeave = "bye 2147483647 NO_ERROR | ping " + leavePing

func pong() string { return raw(framePing, flagAck, 0, leavePing) }

func TestAConnectionIsLeftInGoodOrder(t *testing.T) {
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1), post(3)).fence()
	c.leave().hears(askedToLeave)
	c.say(get(5)).fence() // it was on its way
	c.say(raw(framePing, flagAck, 0, pingText)).fence()
	c.say(pong()).hears("bye 5 NO_ERROR")
	c.say(get(7), post(9), last(9, "x"), pong()).fence() // they are ignored
	c.say(last(3, "hello"))
	release()
	got := c.rest()
	for _, answer := range []string{"1 200.", "3 200 | 3 \"hello\".", "5 200."} {
		assert.Contains(t, got, answer)
	}
	assert.Len(t, strings.Split(got, " | "), 4, got)
	assert.Equal(t, ErrLeft, c.end())
}

func TestAClientThatDoesNotAnswerIsLeftAllTheSame(t *testing.T) {
	c := dial(t, patient(), echo).greet().leave()
	begun := time.Now()
	c.hears(askedToLeave + " | bye 0 NO_ERROR")
	assert.Greater(t, time.Since(begun), leaveTime*9/10)
	assert.Empty(t, c.rest())
	assert.Equal(t, ErrLeft, c.end())
}

// Such a client has opened the stream before it knew, and was overtaken by its own answer.
func TestARequestBehindTheAnswerToThePingIsNotLost(t *testing.T) {
	c := dial(t, patient(), echo).greet().leave().hears(askedToLeave)
	c.say(pong(), get(1)).hears("1 200.")
	c.say(post(3), last(3, "x"))
	assert.ElementsMatch(t, []string{"3 200", "3 \"x\".", "bye 3 NO_ERROR"}, strings.Split(c.rest(), " | "))
	assert.Equal(t, ErrLeft, c.end())
}

func TestAClientThatLeavesGetsItsAnswers(t *testing.T) {
	hold := make(chan struct{})
	c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1), raw(frameGoAway, 0, 0, number(0)+number(0)+"debug")).hears(askedToLeave)
	c.say(pong()).hears("bye 1 NO_ERROR")
	close(hold)
	c.hears("1 200.")
	assert.Empty(t, c.rest())
	assert.Equal(t, ErrLeft, c.end())
}

func TestAConnectionIsLeftBeforeItsPreface(t *testing.T) {
	config := patient()
	config.Head = 200 * time.Millisecond
	c := dial(t, config, echo).leave()
	assert.Contains(t, c.rest(), "bye 2147483647 NO_ERROR")
	assert.Error(t, c.end())
}

func TestAConnectionHasOnlySoManyStreams(t *testing.T) {
	config := patient()
	config.Total = 3
	c := dial(t, config, echo).greet()
	c.say(get(1)).hears("1 200.").say(get(3)).hears("3 200.").say(get(5))
	got := []string{c.next(), c.next(), c.next()}
	assert.ElementsMatch(t, append(strings.Split(askedToLeave, " | "), "5 200."), got)
	c.say(get(7), pong())
	assert.ElementsMatch(t, []string{"7 200.", "bye 7 NO_ERROR"}, strings.Split(c.rest(), " | "))
	assert.Equal(t, ErrLeft, c.end())
}

// Whatever runs while nothing is read any more, Wait waits for it, and End ends it.
func TestWorkIsWaitedFor(t *testing.T) {
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1), get(3), post(5)).fence()
	c.say(part(0, "")).hears("bye 5 PROTOCOL_ERROR")
	waited := make(chan struct{})
	go func() {
		c.conn.Wait()
		close(waited)
	}()
	select {
	case <-waited:
		t.Fatal("it waited for nobody")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	<-waited
	c.conn.Wait() // there is nothing left
	c.conn.mu.Lock()
	assert.Zero(t, c.conn.open+c.conn.working+len(c.conn.streams))
	c.conn.mu.Unlock()
	assert.Empty(t, c.rest())
}

func TestAnEndWithRequestsThatAreNotWhole(t *testing.T) {
	errs := make(chan error, 3)
	c := dial(t, patient(), func(s *Stream) {
		_, err := s.ReadHead(time.Now())
		if err == nil {
			_, err = readBody(s)
		}
		errs <- err
		refuse(s, err)
	}).greet()
	c.say(post(1), part(1, "x"), post(3, "content-length", "70000"), post(5, "expect", "100-continue")).hears("5 100")
	c.Conn.(*net.TCPConn).CloseWrite()
	assert.ElementsMatch(t, []string{"1 reset CANCEL", "3 reset CANCEL", "5 reset CANCEL"}, strings.Split(c.rest(), " | "))
	for range 3 {
		assert.Equal(t, errGone, <-errs)
	}
}

func TestStreamsComeAndGo(t *testing.T) {
	c := dial(t, patient(), echo).greet()
	for id := uint32(1); id < 1000; id += 2 {
		text := letters(int(id % 1500))
		want := fmt.Sprintf("%d 200 | %d data %d.", id, id, len(text))
		if len(text) <= 20 {
			continue
		}
		c.say(post(id), part(id, text[:len(text)/2]), last(id, text[len(text)/2:])).hears(want)
		c.say(update(0, uint32(len(text))))
	}
	c.conn.waitUntil(t, func() bool { return c.conn.working == 0 && len(c.conn.streams) == 0 })
}
