package balancer

import "sync/atomic"

// Backend is one backend of one pool. Its methods may be called by any number
// of goroutines.
type Backend struct {
	Addr  string // host:port; what logs and metrics call it
	Index int    // its place in Pool.Backends

	claimed  atomic.Int64
	up       atomic.Bool
	draining atomic.Bool
	weight   atomic.Int64
	_        [16]byte // fills a cache line, so that neighbours do not share one
}

// NewBackend returns a backend that is up. With weight 0, or less, it takes no
// new work.
func NewBackend(addr string, weight int) *Backend {
	b := &Backend{Addr: addr}
	b.up.Store(true)
	b.weight.Store(int64(max(0, weight)))
	return b
}

// Up says whether the backend was last said to be up.
func (b *Backend) Up() bool { return b.up.Load() }

// Draining says whether the backend finishes its work and takes nothing new.
func (b *Backend) Draining() bool { return b.draining.Load() }

// Weight is its share of the work in proportion to the others.
func (b *Backend) Weight() int { return int(b.weight.Load()) }

// Claimed is how many attempts run on the backend now.
func (b *Backend) Claimed() int { return int(b.claimed.Load()) }

// Release ends the claim of one Pick.
func (b *Backend) Release() { b.claimed.Add(-1) }

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

// share is the weight that counts: none for a backend that takes no new work.
func (b *Backend) share() int {
	if !b.Up() || b.Draining() {
		return 0
	}
	return b.Weight()
}
