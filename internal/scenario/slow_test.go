//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/faults"
)

func TestScenario10ASlowBackendGetsWhatItCanTake(t *testing.T) {
	t.Parallel()
	const most, delay = 8, 2 * time.Second
	s := newSite(t, plan{backends: 3, faults: true, pool: "health: {interval: 5s, timeout: 5s}\nmax_connections: 8"})
	b := s.backends[0]
	l := s.load(t, rate())
	pause(warmUp)
	begin := time.Now()
	pause(baseline)
	slow, memory := time.Now(), s.vitals(t)[resident]
	b.between.Set(faults.Latency(delay))
	pause(lasts(5*time.Second, 30*time.Second))
	r := l.stop()
	lasted := time.Since(slow)

	r.faultless(t, "requests")
	usual, after := r.began(begin, slow), r.began(slow, time.Now())
	after.only(func(v visit) bool { return v.backend != b.name }).noSlowerThan(t, 1.2, usual, "of the others")
	// One more round is under way as the measuring begins and as it ends.
	assert.LessOrEqual(t, len(after.answeredBy(b.name)), most*(int(lasted/delay)+2), "answers of the slow one")
	assert.NotEmpty(t, after.only(func(v visit) bool { return v.backend == b.name && v.took() >= delay }), "nothing was slow")
	if !raced {
		assert.LessOrEqual(t, s.vitals(t)[resident], memory*1.2+8<<20, "resident memory in bytes")
	}
	s.settle(t, r)
}
