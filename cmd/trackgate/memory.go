package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the collector is kept. Requests on a warm connection allocate nothing,
// handshakes allocate some 50 kB each: by its own setting, the collector of a
// gate with little on its heap would run after every few dozen of them.
const (
	headroom     = 48 << 20 // bytes of garbage between two collections, about
	tidyInterval = time.Second
	quietGarbage = 2 << 20   // bytes that are worth to be given back
	quietRate    = 256 << 10 // bytes allocated in an interval that count as nothing
	quietAfter   = 2         // intervals in which nothing was allocated
)

// tidier keeps the collector's setting.
type tidier struct {
	samples   []metrics.Sample
	percent   int
	allocated uint64
	tidied    uint64 // allocated, when memory was last given back
	quiet     int
}

func newTidier() *tidier {
	return &tidier{samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}}
}

// tidyMemory lets the collector leave the same headroom whatever the heap
// holds, and gives memory back to the system when the gate has become quiet.
func tidyMemory(ctx context.Context) {
	ticker := time.NewTicker(tidyInterval)
	defer ticker.Stop()
	t := newTidier()
	for {
		t.tidy()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tidy is one look at the heap.
func (t *tidier) tidy() {
	metrics.Read(t.samples)
	live, allocated := t.samples[0].Value.Uint64(), t.samples[1].Value.Uint64()
	if percent := percentFor(live); percent != t.percent {
		t.percent = percent
		debug.SetGCPercent(percent)
	}
	if allocated-t.allocated < quietRate {
		t.quiet++
	} else {
		t.quiet = 0
	}
	t.allocated = allocated
	if t.quiet >= quietAfter && allocated-t.tidied > quietGarbage {
		debug.FreeOSMemory()
		t.tidied = allocated
	}
}

// percentFor returns the setting with which about headroom bytes of garbage
// come between two collections of a heap with live bytes. Steps keep it from
// moving with every look; the collector's floor is 4 MiB at 100.
func percentFor(live uint64) int {
	live = max(live, 4<<20)
	percent := int(headroom * 100 / live)
	return min(max(percent/25*25, 50), 1200)
}
