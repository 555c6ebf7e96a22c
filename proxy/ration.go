package proxy

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// ration lets so many lines of a kind go to the log in each period. It counts by the
// monotonic clock: by the other one, as zerolog's BurstSampler does, it would let nothing
// through for as long as a clock was ahead that has been set right.
type ration struct {
	most   int
	period time.Duration
	start  time.Time

	mu    sync.Mutex
	began time.Duration // the period, since the start
	taken int
}

func newRation(most int, period time.Duration) *ration {
	return &ration{most: most, period: period, start: time.Now()}
}

// Sample is asked by zerolog, by any number of goroutines.
func (r *ration) Sample(zerolog.Level) bool { return r.allows(time.Since(r.start)) }

func (r *ration) allows(at time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at-r.began >= r.period {
		r.began, r.taken = at, 0
	}
	r.taken++
	return r.taken <= r.most
}
