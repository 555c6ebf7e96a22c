//go:build scenario

package scenario

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// together does the same to all backends at once.
func (s *site) together(do func(*backend)) {
	var all sync.WaitGroup
	for _, b := range s.backends {
		all.Go(func() { do(b) })
	}
	all.Wait()
}

// connections counts those that the backends got so far.
func (s *site) connections(t *testing.T) int {
	t.Helper()
	total := 0
	for _, times := range s.journal.count(t, connected) {
		total += times
	}
	return total
}

// probing is how many connections of checks may come in a second, and of those
// who look whether a backend listens.
const probing = 40

func TestScenario09AnOutageIsSaidAtOnceAndOverAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}})
	before := s.connections(t)
	l := s.load(t, rate())
	pause(time.Second)
	steady := s.connections(t) - before
	s.together(func(b *backend) { b.kill(t) })
	require.True(t, await(2*time.Second+slack(), func() bool { return s.vitals(t).sum("trackgate_backend_up") == 0 }), "no backend gets work")
	out := time.Now()
	pause(lasts(2*time.Second, 20*time.Second))
	before, back := s.connections(t), time.Now()
	s.together(func(b *backend) { b.start(t) })
	returned := time.Now()
	pause(time.Second)
	made := s.connections(t) - before
	pause(time.Second)
	r := l.stop()

	refused := r.began(out, back)
	for _, v := range refused {
		assert.Equal(t, "no_backend", v.reason, "%s", v)
		assert.Equal(t, 503, v.status, "%s", v)
		assert.NotEmpty(t, v.retryAfter, "%s", v)
	}
	assert.LessOrEqual(t, refused.quantile(.99), 10*time.Millisecond+slack())
	assert.LessOrEqual(t, made, 2*steady+probing, "connections in the second of the return")
	r.backAfter(t, returned, time.Second)
	s.settle(t, r)
}

// backAfter demands that somebody was served within a time after the backends
// returned, and that nobody failed from then on.
func (r report) backAfter(t *testing.T, returned time.Time, within time.Duration) {
	t.Helper()
	after := r.began(returned, returned.Add(time.Hour))
	slices.SortFunc(after, func(a, b visit) int { return a.begin.Compare(b.begin) })
	first := slices.IndexFunc(after, func(v visit) bool { return !v.failed() })
	if assert.GreaterOrEqual(t, first, 0, "nobody was served any more") {
		assert.LessOrEqual(t, after[first].end.Sub(returned), within+slack(), "until the first success")
		after[first:].faultless(t, "requests after the first success")
	}
}

// Who may wait is not even refused while all backends are away for a moment, and
// they are not run over as they return.
func TestScenario09AShortOutageIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}, pool: checked + "\nqueue: {size: 5000, wait: 20s}"})
	before := s.connections(t)
	l := s.load(t, rate())
	pause(time.Second)
	steady := s.connections(t) - before
	end := death{from: time.Now()}
	s.together(func(b *backend) { b.stop(t) })
	end.to = time.Now()
	pause(lasts(2*time.Second, 5*time.Second))
	before = s.connections(t)
	s.together(func(b *backend) { b.start(t) })
	pause(time.Second)
	made := s.connections(t) - before
	pause(time.Second)
	r := l.stop()

	r.gets().faultless(t, "GET")
	// A new connection that the kernel has made and nobody has accepted is reset with
	// the listener. That happens to a post of the very moment, and may cost it.
	s.atMost(t, r, end)
	assert.LessOrEqual(t, len(r.failed()), len(s.backends), "lost: %s", r.failed().shown())
	assert.LessOrEqual(t, made, max(2*steady, widest*len(s.backends))+probing, "connections in the second of the return")
	s.settle(t, r)
}

// widest is how many of those who wait are let to one backend at once.
const widest = 32
