package pool

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheBudgetIsAShareOfWhatRuns(t *testing.T) {
	for _, row := range []struct{ percent, running, allowed int }{
		{20, 0, 3}, {20, 15, 3}, {20, 19, 3}, {20, 20, 4}, {20, 1000, 200}, {100, 7, 7}, {1, 50, 3}, {0, 1000, 0},
	} {
		b := budget{percent: row.percent, running: func() int { return row.running }}
		taken := 0
		for b.take() {
			taken++
		}
		assert.Equal(t, row.allowed, taken, "%+v", row)
		if taken > 0 {
			b.give()
			assert.True(t, b.take(), "a place that was given back")
			assert.False(t, b.take())
		}
	}
}

func TestTheBudgetHoldsWhoeverTakes(t *testing.T) {
	b := budget{percent: 10, running: func() int { return 100 }}
	var now, most atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				if !b.take() {
					continue
				}
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				now.Add(-1)
				b.give()
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, most.Load(), int64(10))
	assert.Positive(t, most.Load())
	assert.Zero(t, b.repeating.Load())
}
