package health

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// told collects what a Monitor tells, one after the other.
type told chan string

func (c told) changed(s *Subject, is State) {
	c <- fmt.Sprint(s.Owner, " ", is.Status, " ", is.Why)
}

// start runs a Monitor until the test ends.
func start(t *testing.T, m *Monitor) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
}

func TestABackendThatDiesAndComesBack(t *testing.T) {
	var ill atomic.Bool
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if ill.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	events := make(told, 9)
	m := NewMonitor(settings, events.changed)
	s := m.Add(Target{Addr: addr, Owner: "it"})
	assert.Equal(t, Unknown, s.State().Status)
	start(t, m)

	assert.Equal(t, "it up 1 check passed", <-events)
	ill.Store(true)
	assert.Equal(t, "it down 3 checks failed: status 503, wanted 200 or 204", <-events)
	state := s.State()
	assert.Equal(t, Down, state.Status)
	assert.Equal(t, CauseCheck, state.Cause)
	assert.Equal(t, "3 checks failed: status 503, wanted 200 or 204", state.Why)
	assert.WithinDuration(t, time.Now(), state.Since, time.Minute)
	ill.Store(false)
	assert.Equal(t, "it up 1 check passed", <-events)
}

func TestBackendsAreJudgedByThemselves(t *testing.T) {
	events := make(told, 9)
	m := NewMonitor(settings, events.changed)
	start(t, m)
	stuck := m.Add(Target{Addr: raw(t, ""), Owner: "stuck"})
	gone := m.Add(Target{Addr: dead(t), Owner: "gone"})
	well := m.Add(Target{Addr: backend(t, func(http.ResponseWriter, *http.Request) {}), Owner: "well"})

	assert.ElementsMatch(t, []string{"gone down 3 checks failed: connect: connection refused", "well up 1 check passed"}, []string{<-events, <-events})
	assert.Equal(t, []Status{Unknown, Down, Up}, []Status{stuck.State().Status, gone.State().Status, well.State().Status})
}

func TestABackendThatCannotBeAskedIsDown(t *testing.T) {
	odd := settings
	odd.Path = "/%zz"
	events := make(told, 9)
	m := NewMonitor(odd, events.changed)
	start(t, m)
	m.Add(Target{Addr: dead(t), Owner: "it"})
	assert.Contains(t, <-events, `it down 3 checks failed: path "/%zz" cannot be asked for`)
}

func TestWordsOfStatusesAndCauses(t *testing.T) {
	assert.Equal(t, "unknown up down", fmt.Sprint(Unknown, " ", Up, " ", Down))
	assert.Equal(t, "none check connect_failed timeout errors",
		fmt.Sprint(CauseNone, " ", CauseCheck, " ", CauseConnectFailed, " ", CauseTimeout, " ", CauseErrors))
}
