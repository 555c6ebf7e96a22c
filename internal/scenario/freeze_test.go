//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// late is how much later than set the gate may give up waiting for an answer.
const late = 250 * time.Millisecond

func TestScenario06AFrozenBackendHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	const interval, answer = 300 * time.Millisecond, time.Second
	s := newSite(t, plan{backends: 3, pool: "health: {interval: 300ms, timeout: 250ms, fall: 2}\ntimeouts: {response: 1s}"})
	b := s.backends[0]
	l := s.load(t, rate())
	pause(warmUp)
	begin := time.Now()
	pause(baseline)
	frozen := time.Now()
	b.freeze(t)
	// The second check that fails ends a timeout after it has begun.
	t.Logf("taken out after %s", s.shows(t, b, 0, 2*interval+interval))
	out := time.Now()
	pause(lasts(2*time.Second, 20*time.Second))
	thawed := time.Now()
	b.thaw(t)
	s.shows(t, b, 1, 10*time.Second)
	pause(time.Second)
	r := l.stop()

	r.gets().faultless(t, "GET")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	for _, v := range r.posts().failed() {
		assert.Equal(t, "backend_timeout", v.reason, "%s", v)
		assert.True(t, v.begin.Before(out) && v.end.After(frozen), "failed, but not for the one that was frozen: %s", v)
		assert.GreaterOrEqual(t, v.took(), answer, "%s", v)
		assert.LessOrEqual(t, v.took(), answer+late+slack(), "%s", v)
	}
	usual := r.began(begin, frozen)
	others := r.began(frozen, out).posts().only(func(v visit) bool { return !v.failed() && v.backend != b.name })
	others.noSlowerThan(t, 1.2, usual, "of the others")
	r.began(out, thawed).noSlowerThan(t, 1.2, usual, "with two backends")
	s.settle(t, r)
}
