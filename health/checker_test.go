package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// told collects what a Checker tells.
type told chan string

func (c told) changed(i int, up bool, why string) { c <- fmt.Sprint(i, " ", up, " ", why) }

// start runs a Checker until the test ends.
func start(t *testing.T, c *Checker) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

func TestABackendThatDiesAndComesBack(t *testing.T) {
	var ill atomic.Bool
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if ill.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	events := make(told)
	c := New(settings, []Target{{Addr: addr}}, events.changed)
	assert.Equal(t, Unknown, c.State(0).Status)
	start(t, c)

	assert.Equal(t, "0 true 1 check passed", <-events)
	ill.Store(true)
	assert.Equal(t, "0 false 3 checks failed: status 503, wanted 200 or 204", <-events)
	state := c.State(0)
	assert.Equal(t, Down, state.Status)
	assert.Equal(t, "3 checks failed: status 503, wanted 200 or 204", state.Why)
	assert.WithinDuration(t, time.Now(), state.Since, time.Minute)
	ill.Store(false)
	assert.Equal(t, "0 true 2 checks passed", <-events)
}

func TestBackendsAreJudgedByThemselves(t *testing.T) {
	alive := backend(t, func(http.ResponseWriter, *http.Request) {})
	stuck := raw(t, "")
	events := make(told, 3)
	c := New(settings, []Target{{Addr: stuck}, {Addr: dead(t)}, {Addr: alive}}, events.changed)
	start(t, c)

	assert.ElementsMatch(t, []string{"1 false 3 checks failed: connect: connection refused", "2 true 1 check passed"}, []string{<-events, <-events})
	assert.Equal(t, []Status{Unknown, Down, Up}, []Status{c.State(0).Status, c.State(1).Status, c.State(2).Status})
}

// scripted is a Checker of one backend whose probes are answered by ask, and
// when each was asked.
func scripted(s configs.Health, events told, ask func(n int) error) (*Checker, *[]time.Duration) {
	c := New(s, []Target{{}}, events.changed)
	c.chance = func() float64 { return 0.5 }
	var asked []time.Duration
	begin := time.Now()
	c.checks[0].ask = func(context.Context) error {
		asked = append(asked, time.Since(begin))
		return ask(len(asked))
	}
	return c, &asked
}

// runFor runs c for a while of the bubble's time.
func runFor(c *Checker, d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	c.Run(ctx)
}

var slow = configs.Health{Path: "/", Interval: 5 * time.Second, Timeout: 2 * time.Second, Rise: 2, Fall: 3}

func TestProbesComeAtOnceAndThenEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, asked := scripted(slow, make(told, 9), func(int) error {
			<-time.After(2 * time.Second) // the probe takes long
			return nil
		})
		runFor(c, 16*time.Second)
		assert.Equal(t, []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second}, *asked)
	})
}

func TestAnIntervalVariesByATenth(t *testing.T) {
	c := New(slow, nil, nil)
	for chance, want := range map[float64]time.Duration{0: 4500 * time.Millisecond, 0.5: 5 * time.Second, 1: 5500 * time.Millisecond} {
		c.chance = func() float64 { return chance }
		assert.InDelta(t, float64(want), float64(c.pause()), float64(time.Microsecond))
	}
}

func TestABackendThatFlapsIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(told, 9)
		c, asked := scripted(slow, events, func(n int) error {
			if n%2 == 0 {
				return errors.New("no")
			}
			return nil
		})
		runFor(c, 10*time.Minute)
		assert.Greater(t, len(*asked), 100)
		require.Len(t, events, 1)
		assert.Equal(t, "0 true 1 check passed", <-events)
	})
}

func TestStateSaysSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		c, _ := scripted(slow, make(told, 9), func(int) error { return errors.New("no") })
		assert.Equal(t, State{Why: "not checked yet", Since: begin}, c.State(0))
		runFor(c, time.Minute)
		assert.Equal(t, State{Status: Down, Why: "3 checks failed: no", Since: begin.Add(10 * time.Second)}, c.State(0))
	})
}

func TestAProbeThatTheEndCutsShortSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		strict := slow
		strict.Fall = 1
		events := make(told, 1)
		c := New(strict, []Target{{}}, events.changed)
		c.checks[0].ask = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		runFor(c, time.Second)
		assert.Empty(t, events)
		assert.Equal(t, Unknown, c.State(0).Status)
	})
}

func TestWithoutIntervalNobodyIsAskedAndAllAreUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := slow
		off.Interval = 0
		events := make(told, 1)
		c, asked := scripted(off, events, func(int) error { return errors.New("no") })
		runFor(c, time.Hour)
		assert.Empty(t, *asked)
		assert.Empty(t, events)
		assert.Equal(t, Up, c.State(0).Status)
		assert.Equal(t, "no active checks", c.State(0).Why)
	})
}

// A gate that has run out of file descriptors must not find its backends down.
func TestWhatIsOurOwnFaultDoesNotCount(t *testing.T) {
	c := New(configs.Health{Interval: time.Second, Timeout: time.Second, Rise: 1, Fall: 1}, []Target{{}},
		func(int, bool, string) { assert.Fail(t, "nothing has changed") })
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE} {
		c.add(0, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)})
		assert.Equal(t, Unknown, c.State(0).Status)
	}
}
