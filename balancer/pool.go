package balancer

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Why a Pick got no backend.
var (
	ErrNone = errors.New("no backend is up")
	ErrFull = errors.New("all backends that are up have as many attempts as they may")
)

// Pool is a set of interchangeable backends.
type Pool struct {
	backends []*Backend
	limit    int64

	mu       sync.Mutex // held to change a backend, so that publish sees all of them at rest
	rotation atomic.Pointer[rotation]

	_    [64]byte // the turn is written by every pick: a cache line of its own
	turn atomic.Uint64
	_    [64]byte
}

// NewPool returns a pool of these backends, which belong to it from now on. No
// backend gets more than limit attempts at once; 0 is no limit.
func NewPool(backends []*Backend, limit int) *Pool {
	p := &Pool{backends: backends, limit: int64(limit)}
	for i, b := range backends {
		b.Index = i
	}
	p.publish()
	return p
}

// Backends returns all of them, in the order NewPool got them: read only.
func (p *Pool) Backends() []*Backend { return p.backends }

// Pick claims the backend whose turn it is, until it is released. Exclude, if
// not nil, only gets the work if nobody else can take it. The error is ErrNone
// or ErrFull itself.
func (p *Pool) Pick(exclude *Backend) (*Backend, error) {
	r := p.rotation.Load()
	if len(r.turns) == 0 {
		return nil, ErrNone
	}
	for range min(len(r.turns), maxTries) {
		b := r.at(p.turn.Add(1) - 1)
		if b != exclude && b.claim(p.limit) {
			return b, nil
		}
	}
	return p.pickAny(r, exclude)
}

// maxTries bounds how many turns one Pick takes before it just goes through the
// backends.
const maxTries = 32

// pickAny claims any backend that can take work. It begins where the turn is,
// so that the first of the list is not everybody's refuge.
func (p *Pool) pickAny(r *rotation, exclude *Backend) (*Backend, error) {
	n := uint64(len(r.members))
	first := p.turn.Load() % n
	for i := range n {
		b := r.members[(first+i)%n]
		if b != exclude && b.claim(p.limit) {
			return b, nil
		}
	}
	if exclude != nil && r.has(exclude) && exclude.claim(p.limit) {
		return exclude, nil
	}
	return nil, ErrFull
}

// SetUp says that b is up or is not. Attempts that run on it are not touched.
func (p *Pool) SetUp(b *Backend, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.up.Swap(up) != up {
		p.publish()
	}
}

// SetDraining says that b takes no new work, or does so again.
func (p *Pool) SetDraining(b *Backend, draining bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.draining.Swap(draining) != draining {
		p.publish()
	}
}

// SetWeight changes the share of b; 0 is none.
func (p *Pool) SetWeight(b *Backend, weight int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := int64(max(0, weight))
	if b.weight.Swap(w) != w {
		p.publish()
	}
}

// publish makes the backends as they are now those that are picked.
func (p *Pool) publish() {
	p.rotation.Store(newRotation(p.backends))
}
