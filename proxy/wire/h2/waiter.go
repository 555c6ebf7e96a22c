package h2

import "time"

// waiter is one goroutine's way to wait for what others change.
type waiter struct {
	signal chan struct{} // holds one, so that none is lost that comes before the wait
	timer  *time.Timer
}

func newWaiter() waiter { return waiter{signal: make(chan struct{}, 1)} }

func (w *waiter) wake() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// clear forgets a signal that nobody waited for.
func (w *waiter) clear() {
	select {
	case <-w.signal:
	default:
	}
}

// wait returns when woken, or after a while.
func (w *waiter) wait(while time.Duration) {
	if w.timer == nil {
		w.timer = time.NewTimer(while)
	} else {
		w.timer.Reset(while)
	}
	select {
	case <-w.signal:
	case <-w.timer.C:
	}
	w.timer.Stop()
}

// pauseLocked waits until something changes, for a while at most. What is to be written
// is, first.
func (s *Stream) pauseLocked(w *waiter, while time.Duration) {
	s.conn.flushLocked()
	s.conn.mu.Unlock()
	w.wait(while)
	s.conn.mu.Lock()
}
