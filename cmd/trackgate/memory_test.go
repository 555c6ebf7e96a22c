package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/stretchr/testify/assert"
)

const mega = 1 << 20

func TestTheHeadroomIsTheSameForEveryHeap(t *testing.T) {
	last := percentFor(0)
	assert.Equal(t, percentFor(4<<20), last, "the collector's floor")
	for live := uint64(1 << 20); live < 4<<30; live += live / 8 {
		percent := percentFor(live)
		assert.LessOrEqual(t, percent, last, "a larger heap has no larger share")
		assert.Zero(t, percent%25, "in steps")
		garbage := live / 100 * uint64(percent)
		switch {
		case live >= headroom:
			assert.Equal(t, 100, percent, "of %d bytes", live)
		case live > 4<<20 && percent < 1200:
			assert.InDelta(t, headroom, garbage, float64(live)/4+float64(live)/100, "of %d bytes", live)
		}
		last = percent
	}
}

// It looks once in an interval: time passes for it, and it ends when told to.
func TestTidyMemoryWaitsBetweenItsLooks(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*tidyInterval)
		defer stop()
		tidyMemory(ctx) // a busy loop would never let the ten intervals pass
		assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
}

func TestTidySetsTheCollector(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	tidier := newTidier()
	tidier.tidy()
	live := tidier.samples[0].Value.Uint64()
	assert.Equal(t, percentFor(live), debug.SetGCPercent(100))
}

func TestMemoryIsGivenBackWhenItIsQuietAndWorthIt(t *testing.T) {
	for name, row := range map[string]struct {
		quiet            int
		since, live, max uint64
		want             bool
	}{
		"much to spare":                          {quietAfter, mega, 10 * mega, 60 * mega, true},
		"much to spare, but at work":             {quietAfter - 1, mega, 10 * mega, 60 * mega, false},
		"much to spare, as it was the last time": {quietAfter, 0, 10 * mega, 60 * mega, false},
		"little to spare":                        {quietAfter, mega, 30 * mega, 60 * mega, false},
		"perhaps much, after a flood":            {quietAfter, 100 * mega, 50 * mega, 60 * mega, true},
	} {
		tidier := tidier{quiet: row.quiet, allocated: 500*mega + row.since, tidied: 500 * mega}
		assert.Equal(t, row.want, tidier.due(row.live, row.max), name)
	}
}

func TestWhatPoolsHoldIsGivenBack(t *testing.T) {
	var pool sync.Pool
	var held []weak.Pointer[[mega]byte]
	for range 8 {
		b := new([mega]byte)
		held = append(held, weak.Make(b))
		pool.Put(b)
	}
	giveBack()
	for _, b := range held {
		assert.Nil(t, b.Value())
	}
	runtime.KeepAlive(&pool)
}
