package proxy

import (
	"sync"
	"sync/atomic"
)

// maxResting is how many goroutines without a connection are kept.
const maxResting = 64

// crew are the goroutines that serve connections. One that has served a
// connection serves the next: its stack has the size that a handshake needs,
// while a new goroutine's would have to be copied four times to get there.
type crew struct {
	next    chan *conn
	home    chan struct{} // closed when nobody is needed any more
	resting atomic.Int32
	all     sync.WaitGroup
}

func newCrew() *crew {
	return &crew{next: make(chan *conn), home: make(chan struct{})}
}

// assign has c served, by a goroutine that rests or by a new one.
func (w *crew) assign(c *conn) {
	select {
	case w.next <- c:
	default:
		w.all.Go(func() { w.attend(c) })
	}
}

// attend serves c and then others.
func (w *crew) attend(c *conn) {
	for {
		c.serve()
		if w.resting.Add(1) > maxResting {
			w.resting.Add(-1)
			return
		}
		select {
		case c = <-w.next:
			w.resting.Add(-1)
		case <-w.home:
			return
		}
	}
}

// dismiss lets those that rest go, and waits for them. No connection is assigned
// afterwards.
func (w *crew) dismiss() {
	close(w.home)
	w.all.Wait()
}
