//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestScenario07ARollingRestartLosesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}})
	l := s.load(t, rate())
	pause(baseline)
	for _, b := range s.backends {
		b.stop(t)
		b.start(t)
		pause(lasts(2*time.Second, 20*time.Second))
	}
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}
