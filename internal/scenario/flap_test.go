//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/faults"
)

func TestScenario12AFlappingBackendIsJudgedSlowly(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, faults: true, pool: "health: {interval: 200ms, timeout: 150ms}"})
	b := s.backends[0]
	l := s.load(t, rate())
	pause(time.Second)
	changes := s.watch(t, b, func() {
		for range lasts(15, 100) {
			b.between.Set(faults.Refuse())
			pause(300 * time.Millisecond)
			b.between.Set(faults.Pass())
			pause(300 * time.Millisecond)
		}
	})
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	t.Logf("changes: %d", len(changes))
	for i := 1; i < len(changes); i++ {
		assert.GreaterOrEqual(t, changes[i].Sub(changes[i-1]), 3*time.Second-slack(), "between two changes")
	}
	s.settle(t, r)
}

// watch returns when it was seen that the gate thinks otherwise of a backend, while
// do went on.
func (s *site) watch(t *testing.T, b *backend, do func()) (changes []time.Time) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for was := s.vitals(t)[up(b.seen)]; ; {
		select {
		case <-done:
			return changes
		case <-tick.C:
		}
		if is := s.vitals(t)[up(b.seen)]; is != was {
			was, changes = is, append(changes, time.Now())
		}
	}
}
