package balancer

import "math"

// window bounds how many claims a backend may have on behalf of those who wait.
// One that comes back to a pool where many wait would otherwise get all of them
// at once. It begins with a few; each release shows that the backend keeps up and
// adds one, up to quickWindow; from there it takes twice as many releases as the
// window is wide. So it grows slowly but has no end: a fixed bound could be less than
// what comes in, and then nobody would ever stop waiting.
//
// It holds while somebody waits. Who need not wait knows nothing of it.
type window struct {
	rush     uint64 // of the queue, when it was opened; of another rush it means nothing
	size     int32
	released int32 // since it grew last
}

const (
	firstWindow = 4
	quickWindow = 16
)

// openLocked gives b a window if somebody waits. Claims that it still has from
// before are not those of a rush.
func (q *queue) openLocked(b *Backend) {
	if q.line.Len() > 0 {
		b.window = window{rush: q.rush, size: int32(firstWindow + b.claimed.Load())}
	}
}

// widen counts a release.
func (w *window) widen() {
	w.released++
	if w.size < quickWindow || w.released >= 2*w.size {
		w.size, w.released = w.size+1, 0
	}
}

// room is how many claims b may have when it is handed to somebody who waits; 0 is
// no limit. The queue is locked.
func (p *Pool) room(b *Backend) int64 {
	if b.window.rush != p.queue.rush {
		return p.limit
	}
	limit := p.limit
	if limit == 0 {
		limit = math.MaxInt64
	}
	return min(limit, int64(b.window.size))
}

// handOver gives the place of a claim that ended on b, and what its window grew
// by, to those who wait. Nobody else has room, or they would not wait: so b alone
// is looked at, unless it is a suspect, or who is first in line avoids somebody.
func (p *Pool) handOver(b *Backend) {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	b.window.widen()
	for w := p.queue.head(); w != nil && b.share.Load() > 0; w = p.queue.head() {
		if rankOf(b, w.exclude) != willing {
			p.serveLocked()
			return
		}
		if !b.claim(p.room(b)) {
			break
		}
		p.queue.settleLocked(w, outcome{backend: b})
	}
	p.serveAgainLocked()
}

// serveAgainLocked serves those who wait if the first of them may have a spare: the
// one before him may not have been allowed to. The queue is locked.
func (p *Pool) serveAgainLocked() {
	if w := p.queue.head(); w != nil && len(w.exclude) > 0 {
		p.serveLocked()
	}
}

// serve gives what backends can take to those who wait.
func (p *Pool) serve() {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	p.serveLocked()
}

// serveLocked is serve with the queue locked. If no backend is up, it ends the
// waits of those who only waited on because one was.
func (p *Pool) serveLocked() {
	r := p.rotation.Load()
	if r.empty() {
		p.endLateLocked()
		return
	}
	for w := p.queue.head(); w != nil; w = p.queue.head() {
		b := p.handOut(r, w)
		if b == nil {
			return
		}
		p.queue.settleLocked(w, outcome{backend: b})
	}
}

// handOut claims a backend for w in turn, whatever the policy: it is windows that
// are filled. It returns nil if none has room. The queue is locked.
func (p *Pool) handOut(r *rotation, w *waiter) *Backend {
	for range min(len(r.turns), maxTries) {
		b := r.at(p.turn.Add(1) - 1)
		if rankOf(b, w.exclude) == willing && b.claim(p.room(b)) {
			return b
		}
	}
	return p.pickAny(r, w.exclude, p.room, (*Backend).claim)
}

// endLateLocked ends the waits that do not go on while no backend is up.
func (p *Pool) endLateLocked() {
	for e := p.queue.line.Front(); e != nil; {
		w := e.Value.(*waiter)
		e = e.Next() // before settling takes w out of the line
		if w.late {
			p.queue.settleLocked(w, outcome{err: ErrNone})
		}
	}
}
