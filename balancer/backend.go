package balancer

import (
	"slices"
	"sync/atomic"
	"time"
)

// Backend is one backend of one pool at a time. Its methods may be called by
// any number of goroutines.
//
// The first half, which every pick touches, fills a cache line; the second keeps
// the neighbour off it.
type Backend struct {
	Addr     string // host:port; what logs and metrics call it
	Owner    any    // what the user of the pool holds for it; the balancer never looks
	Priority int    // lower is asked first (RFC 2782); set before it is added

	claimed atomic.Int64
	share   atomic.Int64 // in the published rotation, in tenths of a weight; 0 outside of it
	suspect atomic.Bool
	up      atomic.Bool

	draining atomic.Bool
	tenths   int32 // of its weight that count while it starts; held by Pool.mu
	weight   atomic.Int64
	rising   time.Time // when its slow start began; held by Pool.mu
	window   window    // held by queue.mu
	_        [8]byte
}

// NewBackend returns a backend that is up. With weight 0, or less, it takes no
// new work.
func NewBackend(addr string, weight int) *Backend {
	b := &Backend{Addr: addr, tenths: allTenths}
	b.up.Store(true)
	b.weight.Store(int64(max(0, weight)))
	return b
}

// Up says whether the backend was last said to be up.
func (b *Backend) Up() bool { return b.up.Load() }

// Draining says whether the backend finishes its work and takes nothing new.
func (b *Backend) Draining() bool { return b.draining.Load() }

// Suspect says whether a connection to the backend takes long just now.
func (b *Backend) Suspect() bool { return b.suspect.Load() }

// Weight is its share of the work in proportion to the others, when it has been
// up for long enough.
func (b *Backend) Weight() int { return int(b.weight.Load()) }

// Claimed is how many attempts run on the backend now.
func (b *Backend) Claimed() int { return int(b.claimed.Load()) }

// claim adds an attempt unless there are limit already; 0 is no limit.
func (b *Backend) claim(limit int64) bool {
	if limit == 0 {
		b.claimed.Add(1)
		return true
	}
	for {
		n := b.claimed.Load()
		if n >= limit {
			return false
		}
		if b.claimed.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// full says whether there are limit attempts already; 0 is no limit.
func (b *Backend) full(limit int64) bool {
	return limit != 0 && b.claimed.Load() >= limit
}

// lessBusy says whether b has fewer claims than o in proportion to their shares.
func (b *Backend) lessBusy(o *Backend) bool {
	return b.claimed.Load()*o.share.Load() < o.claimed.Load()*b.share.Load()
}

// ownShare is the part of the work that b may have if its priority counts: none
// if it takes no new work. Pool.mu is held.
func (b *Backend) ownShare() int64 {
	if !b.Up() || b.Draining() {
		return 0
	}
	return b.weight.Load() * int64(b.tenths)
}

// rank says how gladly a backend is asked: one of a higher rank only gets the
// work if none of a lower rank can take it.
type rank int

const (
	willing rank = iota
	doubtful
	avoided
	ranks // how many there are
)

// rankOf returns the rank of b for an attempt that avoids some.
func rankOf(b *Backend, exclude []*Backend) rank {
	switch {
	case slices.Contains(exclude, b):
		return avoided
	case b.suspect.Load():
		return doubtful
	}
	return willing
}
