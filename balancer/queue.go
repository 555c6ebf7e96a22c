package balancer

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// queue is the requests that wait for a backend, oldest first.
//
// No wake-up is lost: a request counts itself as waiting first and looks for a
// backend once more after that, while a release first gives its claim back and
// looks for somebody waiting after that. One of the two sees the other.
type queue struct {
	size    int
	waiting atomic.Int64 // in line, or just about to be

	mu      sync.Mutex
	line    list.List // of *waiter
	rush    uint64    // begins with 1 and counts when the line runs empty: windows of before hold no more
	stopped bool
}

// waiter is a request in line.
type waiter struct {
	exclude []*Backend
	place   *list.Element // nil out of line
	first   time.Duration // how long it waits whether or not a backend is up
	more    time.Duration // how long after that, while one is up
	late    bool          // first is over
	got     chan outcome  // gets the one end of the wait; has room for it
}

// outcome is how a wait ended.
type outcome struct {
	backend *Backend
	err     error
}

// Await is Pick with patience: while no backend is up it waits up to none, while
// all are full up to the longer of busy and none, behind those who waited before.
// Exclude may be changed when it returns.
//
// The error is ErrNone or ErrFull, as things are when the wait ends, and at once
// if the request may not wait or too many do; or ErrStopped.
func (p *Pool) Await(exclude []*Backend, busy, none time.Duration) (*Backend, error) {
	if p.queue.waiting.Load() == 0 {
		b, err := p.Pick(exclude)
		if err == nil || p.queue.size == 0 {
			return b, err
		}
	}
	w, b, err := p.lineUp(exclude, busy, none)
	if w == nil {
		return b, err
	}
	return p.wait(w)
}

// Waiting is how many requests wait.
func (p *Pool) Waiting() int {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.queue.line.Len()
}

// Stop ends all waits with ErrStopped, and from now on every request that would
// have to wait gets that at once.
func (p *Pool) Stop() {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	p.queue.stopped = true
	for w := p.queue.head(); w != nil; w = p.queue.head() {
		p.queue.settleLocked(w, outcome{err: ErrStopped})
	}
}

// lineUp puts a request in line, unless it gets a backend or an error at once.
func (p *Pool) lineUp(exclude []*Backend, busy, none time.Duration) (*waiter, *Backend, error) {
	q := &p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting.Add(1)
	if q.line.Len() == 0 {
		if b, err := p.Pick(exclude); err == nil {
			q.waiting.Add(-1)
			return nil, b, nil
		}
	}
	err := p.wanting()
	mayWait := none > 0 || busy > 0 && err == ErrFull
	if mayWait && !q.stopped && q.line.Len() < q.size {
		return q.enterLocked(newWaiter(exclude, busy, none)), nil, nil
	}
	q.waiting.Add(-1)
	if mayWait && q.stopped {
		err = ErrStopped
	}
	return nil, nil, err
}

// wanting is why nobody can take the work, as things are.
func (p *Pool) wanting() error {
	if p.rotation.Load().empty() {
		return ErrNone
	}
	return ErrFull
}

func newWaiter(exclude []*Backend, busy, none time.Duration) *waiter {
	w := &waiter{exclude: append([]*Backend(nil), exclude...), got: make(chan outcome, 1)}
	if none > 0 {
		w.first, w.more = none, busy-none
	} else {
		w.first, w.late = busy, true
	}
	return w
}

// wait returns the outcome of a wait, which is bounded by the waiter's times.
func (p *Pool) wait(w *waiter) (*Backend, error) {
	timer := time.NewTimer(w.first)
	defer timer.Stop()
	for {
		select {
		case o := <-w.got:
			return o.backend, o.err
		case <-timer.C:
			if p.goesOn(w) {
				timer.Reset(w.more)
			}
		}
	}
}

// goesOn says whether w waits on after its time was over. If not, it has its
// outcome.
func (p *Pool) goesOn(w *waiter) bool {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	if w.place == nil {
		return false
	}
	err := p.wanting()
	if !w.late && w.more > 0 && err == ErrFull {
		w.late = true
		return true
	}
	p.queue.settleLocked(w, outcome{err: err})
	p.serveAgainLocked()
	return false
}

// enterLocked puts w, which is counted already, at the end of the line.
func (q *queue) enterLocked(w *waiter) *waiter {
	w.place = q.line.PushBack(w)
	return w
}

// head returns who waits longest, or nil. The queue is locked.
func (q *queue) head() *waiter {
	if e := q.line.Front(); e != nil {
		return e.Value.(*waiter)
	}
	return nil
}

// settleLocked ends the wait of w.
func (q *queue) settleLocked(w *waiter, o outcome) {
	q.line.Remove(w.place)
	w.place = nil
	q.waiting.Add(-1)
	w.got <- o
	if q.line.Len() == 0 {
		q.rush++
	}
}
