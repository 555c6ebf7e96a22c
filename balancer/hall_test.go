package balancer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ended is how a request came out of Await.
type ended struct {
	who     int
	backend *Backend
	err     error
	after   time.Duration
}

// hall is a pool with requests that wait, in a bubble of synctest.
type hall struct {
	*Pool
	t    *testing.T
	ends chan ended
	came int
}

func newHall(t *testing.T, o Options, backends ...*Backend) *hall {
	return &hall{Pool: New(o, backends...), t: t, ends: make(chan ended, 1000)}
}

// comes lets a request line up, which is numbered from 0.
func (h *hall) comes(busy, none time.Duration, exclude ...*Backend) {
	who, start := h.came, time.Now()
	h.came++
	go func() {
		b, err := h.Await(exclude, busy, none)
		h.ends <- ended{who, b, err, time.Since(start)}
	}()
	synctest.Wait()
}

// served says who got a backend since it was asked last, by number.
func (h *hall) served() (who []int) {
	h.t.Helper()
	synctest.Wait()
	for len(h.ends) > 0 {
		e := <-h.ends
		require.NoError(h.t, e.err)
		who = append(who, e.who)
	}
	slices.Sort(who)
	return who
}

// refused waits for the next end, which is a refusal.
func (h *hall) refused(want error, after time.Duration) {
	h.t.Helper()
	e := <-h.ends
	assert.Equal(h.t, want, e.err)
	assert.Nil(h.t, e.backend)
	assert.Equal(h.t, after, e.after)
}

// empty says that nobody waits and nobody is counted as if he did.
func (h *hall) empty() {
	h.t.Helper()
	synctest.Wait()
	assert.Zero(h.t, h.Waiting())
	assert.Zero(h.t, h.queue.waiting.Load())
	assert.Empty(h.t, h.ends)
}

// inHall runs a test in a bubble, with a pool of one backend that is full.
func inHall(t *testing.T, o Options, test func(h *hall, a *Backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Limit = 1
		h := newHall(t, o, ring(1, equal)...)
		fill(t, h.Pool, 1)
		test(h, h.Backends()[0])
		h.empty()
	})
}
