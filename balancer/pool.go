package balancer

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Why there is no backend for a request.
var (
	// ErrNone: no backend takes new work.
	ErrNone = errors.New("no backend is up")
	// ErrFull: those that do cannot take more, and the request may not wait, or
	// not any longer.
	ErrFull = errors.New("all backends that are up have as many attempts as they may")
	// ErrStopped: the request would have to wait, and Stop was called.
	ErrStopped = errors.New("nobody waits for a backend any more")
)

// Options are what a pool keeps to. They do not change.
type Options struct {
	Policy    Policy
	Limit     int           // attempts at once per backend; 0 is no limit
	SlowStart time.Duration // until a backend that joins or comes up has all of its weight; 0 is at once
	Queue     int           // requests that may wait at once; 0 is none
}

// Pool is a set of interchangeable backends. Its methods may be called by any
// number of goroutines.
type Pool struct {
	policy    Policy
	limit     int64
	slowStart time.Duration
	rotation  atomic.Pointer[rotation]
	backends  atomic.Pointer[[]*Backend]

	_    [64]byte // the turn is written by every pick: a cache line of its own
	turn atomic.Uint64
	_    [64]byte

	queue queue

	mu      sync.Mutex // held to change a backend, so that publish sees all of them at rest; before queue.mu
	ramping bool       // a slow start is under way
}

// New returns a pool of these backends, which belong to it from now on. They
// have all of their weight at once: a gate that just started knows of none that
// was there before.
func New(o Options, backends ...*Backend) *Pool {
	p := &Pool{policy: o.Policy, limit: int64(o.Limit), slowStart: o.SlowStart}
	p.queue.size, p.queue.rush = o.Queue, 1
	all := slices.Clone(backends)
	p.backends.Store(&all)
	p.publish()
	return p
}

// Backends returns all of them in the order in which they joined: read only. The
// slice never changes; when a backend joins or leaves, there is a new one.
func (p *Pool) Backends() []*Backend { return *p.backends.Load() }

// Running is how many claims all backends have now. One that was removed does not
// count. It is added up by the call.
func (p *Pool) Running() int {
	sum := 0
	for _, b := range p.Backends() {
		sum += b.Claimed()
	}
	return sum
}

// Pick claims a backend by the policy of the pool, until it is released. Those of
// exclude only get the work if nobody else can take it, not even a spare; they are
// looked through for each backend that is considered, so a few dozen at most. The
// error is ErrNone or ErrFull itself. Pick does not mind who waits in Await.
func (p *Pool) Pick(exclude []*Backend) (*Backend, error) {
	r := p.rotation.Load()
	if r.empty() {
		return nil, ErrNone
	}
	for range min(len(r.turns), maxTries) {
		if b := p.choose(r, p.turn.Add(1)-1, exclude); b != nil && b.claim(p.limit) {
			return b, nil
		}
	}
	if b := p.pickAny(r, exclude, p.ownLimit, (*Backend).claim); b != nil {
		return b, nil
	}
	return nil, ErrFull
}

// Release ends the claim of one Pick or Await. If somebody waits, the place goes
// to whoever waits longest.
func (p *Pool) Release(b *Backend) {
	b.claimed.Add(-1)
	if p.queue.waiting.Load() > 0 {
		p.handOver(b)
	}
}

// maxTries bounds how many turns one Pick takes before it just goes through the
// backends.
const maxTries = 32

// pickAny returns any backend that can take work and that take, which claims or only
// looks, has got, of the lowest rank there is. A spare comes before those that are
// avoided.
func (p *Pool) pickAny(r *rotation, exclude []*Backend, limit func(*Backend) int64, take func(*Backend, int64) bool) *Backend {
	for asked := willing; asked < ranks; {
		if asked == avoided {
			if b := p.takeSpare(exclude, limit, take); b != nil {
				return b
			}
		}
		b, next := r.takeRank(asked, exclude, scatter(p.turn.Load()), func(b *Backend) bool { return take(b, limit(b)) })
		if b != nil {
			return b
		}
		asked = next
	}
	return nil
}

// takeRank takes a backend of one rank, or tells the next rank that anybody
// has. It begins somewhere by chance, so that the first of the list is not
// everybody's refuge.
func (r *rotation) takeRank(asked rank, exclude []*Backend, chance uint64, take func(*Backend) bool) (_ *Backend, next rank) {
	next = ranks
	at := int(chance % uint64(len(r.members)))
	for range r.members {
		b := r.members[at]
		if at++; at == len(r.members) {
			at = 0
		}
		if has := rankOf(b, exclude); has > asked {
			next = min(next, has)
		} else if has == asked && take(b) {
			return b, ranks
		}
	}
	return nil, next
}

// ownLimit is how many claims a backend may have for a request that does not wait.
func (p *Pool) ownLimit(*Backend) int64 { return p.limit }
