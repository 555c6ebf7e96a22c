package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
)

// heard is a message and when it came.
type heard struct {
	after time.Duration
	text  string
}

// story is a gate and a manager in a bubble, where time passes by itself.
type story struct {
	began  time.Time
	mu     sync.Mutex
	heard  []heard
	ready  error
	status string
	sick   error // what a probe finds
}

var errSick = errors.New("no answer")

// play lets a supervisor work while tell goes on, and then through a drain of 10 s.
func play(t *testing.T, watchdog time.Duration, tell func(*story, *Supervisor)) *story {
	return (&story{status: "serving"}).play(t, watchdog, tell)
}

func (st *story) play(t *testing.T, watchdog time.Duration, tell func(*story, *Supervisor)) *story {
	synctest.Test(t, func(t *testing.T) {
		st.began = time.Now()
		s := newSupervisor(Options{Ready: st.isReady, Status: st.says, Probe: st.probe, Stop: stops, Log: zerolog.Nop()}, watchdog, st.hear)
		ctx, stop := context.WithCancel(t.Context())
		after, end := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { s.Run(ctx, after) })
		tell(st, s)
		stop()
		<-time.After(10 * time.Second)
		end()
		run.Wait()
	})
	return st
}

func (st *story) change(change func()) {
	st.mu.Lock()
	defer st.mu.Unlock()
	change()
}

func (st *story) isReady() error { st.mu.Lock(); defer st.mu.Unlock(); return st.ready }

func (st *story) says() string { st.mu.Lock(); defer st.mu.Unlock(); return st.status }

func (st *story) probe(context.Context) error { st.mu.Lock(); defer st.mu.Unlock(); return st.sick }

func (st *story) hear(text string) error {
	st.change(func() { st.heard = append(st.heard, heard{time.Since(st.began), text}) })
	return nil
}

// texts returns what was heard, but for these.
func (st *story) texts(but ...string) (texts []string) {
	for _, h := range st.heard {
		if !slices.Contains(but, h.text) {
			texts = append(texts, h.text)
		}
	}
	return texts
}

// pings returns when the watchdog was answered.
func (st *story) pings() (at []time.Duration) {
	for _, h := range st.heard {
		if h.text == "WATCHDOG=1" {
			at = append(at, h.after)
		}
	}
	return at
}

func stops() time.Duration { return time.Minute }

const leaves = "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\nSTATUS=draining"

func TestTheManagerHearsOfALife(t *testing.T) {
	st := (&story{status: "serving", ready: errSick}).play(t, 0, func(st *story, s *Supervisor) {
		<-time.After(3 * time.Second)
		s.Reloading() // so early nobody has to know
		s.Reloaded(nil)
		st.change(func() { st.ready = nil })
		<-time.After(time.Minute)
	})
	assert.Equal(t, []string{"READY=1\nSTATUS=serving", leaves}, st.texts())
	assert.GreaterOrEqual(t, st.heard[0].after, 3*time.Second)
	assert.Less(t, st.heard[0].after, 3*time.Second+2*readyPace)
	assert.Less(t, st.heard[1].after, 63*time.Second+2*readyPace, "the drain is told at its beginning")
}

func TestAGateThatNeverServedOnlyLeaves(t *testing.T) {
	st := (&story{ready: errSick}).play(t, time.Second, func(*story, *Supervisor) {})
	assert.Equal(t, []string{leaves}, st.texts())
}

func TestStatusIsToldWhenItIsNewAndNotTooOften(t *testing.T) {
	st := play(t, 0, func(st *story, _ *Supervisor) {
		for i := range 100 { // in 10 s
			<-time.After(100 * time.Millisecond)
			st.change(func() { st.status = "serving " + strings.Repeat("x", i) })
		}
		<-time.After(10 * time.Second)
		st.change(func() { st.status = "at last\nREADY=1" })
		<-time.After(2 * time.Second)
	})
	texts := st.texts()
	assert.Contains(t, texts, "STATUS=at last READY=1", "one line")
	assert.InDelta(t, 10+3, len(texts), 1)
}

func TestReloadsAreTold(t *testing.T) {
	st := play(t, 0, func(st *story, s *Supervisor) {
		<-time.After(time.Minute)
		s.Reloading()
		<-time.After(time.Second / 2)
		s.Reloaded(nil)
		<-time.After(time.Minute)
		s.Reloading()
		s.Reloaded(errors.New("mistake"))
		<-time.After(time.Minute)
	})
	texts := st.texts()
	assert.Len(t, texts, 6)
	for _, i := range []int{1, 3} {
		assert.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+$`, texts[i])
	}
	assert.Equal(t, "READY=1", texts[2])
	assert.Equal(t, "READY=1\nSTATUS=serving, with the old settings: the new ones were refused", texts[4])
}

func TestTheWatchdogIsAnsweredUntilTheEnd(t *testing.T) {
	st := play(t, 30*time.Second, func(*story, *Supervisor) { <-time.After(100 * time.Second) })
	pings := st.pings()
	assert.Len(t, pings, 8, "from 0 to 105 s")
	for i, at := range pings {
		assert.Equal(t, time.Duration(i)*15*time.Second, at)
	}
}

func TestAGateThatDoesNotAnswerItselfIsNotSaidToLive(t *testing.T) {
	const watchdog = 30 * time.Second
	st := play(t, watchdog, func(st *story, _ *Supervisor) {
		<-time.After(40 * time.Second)
		st.change(func() { st.sick = errSick })
		<-time.After(time.Minute)
		st.change(func() { st.sick = nil })
		<-time.After(3 * time.Second)
	})
	var while []time.Duration
	for _, at := range st.pings() {
		if at > 40*time.Second && at < 100*time.Second {
			while = append(while, at)
		}
	}
	assert.Empty(t, while)
	back, ok := st.pingAfter(100 * time.Second)
	assert.True(t, ok)
	assert.LessOrEqual(t, back, 102*time.Second, "it is seen at once that it lives again")
}

func (st *story) pingAfter(since time.Duration) (time.Duration, bool) {
	for _, at := range st.pings() {
		if at >= since {
			return at, true
		}
	}
	return 0, false
}

// One failure between two pings must not be the end.
func TestAHiccupIsSurvived(t *testing.T) {
	const watchdog = 30 * time.Second
	st := play(t, watchdog, func(st *story, _ *Supervisor) {
		for range 20 {
			<-time.After(10 * time.Second)
			st.change(func() { st.sick = errSick })
			<-time.After(9 * time.Second)
			st.change(func() { st.sick = nil })
		}
	})
	last := time.Duration(0)
	for _, at := range st.pings() {
		assert.Less(t, at-last, watchdog)
		last = at
	}
	assert.Greater(t, last, 380*time.Second)
}
