package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the collector is kept. Requests on a warm connection allocate nothing,
// handshakes allocate some 70 kB each: by its own setting, the collector of a
// gate with little on its heap would run after every few dozen of them.
const (
	headroom     = 24 << 20 // bytes of garbage between two collections, about
	tidyInterval = time.Second
	quietRate    = 256 << 10 // bytes allocated in an interval that count as nothing
	quietAfter   = 2         // intervals in which nothing was allocated
	quietSpare   = 40 << 20  // bytes that the process holds and does not need, worth giving back
	quietWork    = 48 << 20  // bytes allocated since then that are worth another look
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
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}}
}

// tidyMemory lets the collector leave the same headroom whatever the heap
// holds, and gives memory back to the system when the gate has become quiet:
// what thousands of handshakes needed, their stacks above all, is not needed by
// thousands of connections that wait.
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
	held := t.samples[2].Value.Uint64() - t.samples[3].Value.Uint64()
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
	if t.due(live, held) {
		giveBack()
		t.tidied = allocated
	}
}

// giveBack returns to the system what is not needed. Pools keep what they hold through
// one collection and let go of it with the next.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

// due reports whether memory is to be given back. What is live was found by the last
// collection, which may have come in the middle of what is over now: after much work
// nobody knows how much of it is needed.
func (t *tidier) due(live, held uint64) bool {
	since := t.allocated - t.tidied
	spare := held > live+quietSpare && since > quietRate
	return t.quiet >= quietAfter && (spare || since > quietWork)
}

// percentFor returns the setting with which about headroom bytes of garbage
// come between two collections of a heap with live bytes, or as many as are live
// where these are more: with ten thousand certificates to look through, a collection
// costs as much as a hundred handshakes do. Steps keep it from moving with every look;
// the collector's floor is 4 MiB at 100.
func percentFor(live uint64) int {
	live = max(live, 4<<20)
	percent := int(uint64(headroom) * 100 / live)
	return min(max(percent/25*25, 100), 1200)
}
