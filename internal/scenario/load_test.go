//go:build scenario

package scenario

import (
	"fmt"
	"sync"
	"time"
)

// load is a client that begins a visit whenever one is due, however the others
// fare: 60 of 100 post an event, 10 come on a connection of their own, half over HTTP/2.
type load struct {
	client *client
	name   string // part of every id
	shape  func(int) request
	leave  chan struct{}
	gone   sync.WaitGroup

	mu     sync.Mutex
	visits []visit
}

// startLoad begins visits at this rate a second.
func startLoad(c *client, name string, rate int) *load {
	return startShaped(c, name, rate, mixed)
}

// startShaped is startLoad with other requests than the usual.
func startShaped(c *client, name string, rate int, shape func(int) request) *load {
	l := &load{client: c, name: name, shape: shape, leave: make(chan struct{})}
	l.gone.Go(func() { l.run(time.Second / time.Duration(rate)) })
	return l
}

// mixed is the usual request number n.
func mixed(n int) request {
	return request{post: n%5 < 3, fresh: n%20 == 0 || n%20 == 9, http2: n%2 == 1}
}

// startLong begins a few requests a second that last: bodies that come slowly and
// answers that go slowly, over both protocols. Whatever happens meanwhile they are to
// come to their end.
func startLong(c *client, each time.Duration) *load {
	return startShaped(c, "long", 2, func(n int) request {
		return request{post: n%2 == 0, http2: n%4 < 2, size: 100_000, lasts: each}
	})
}

// run begins visits until it is told to leave. When it was late it begins all that
// were due meanwhile.
func (l *load) run(gap time.Duration) {
	tick := time.NewTicker(gap)
	defer tick.Stop()
	begin := time.Now()
	for n := 0; ; {
		for ; time.Duration(n)*gap <= time.Since(begin); n++ {
			l.begin(n)
		}
		select {
		case <-tick.C:
		case <-l.leave:
			return
		}
	}
}

func (l *load) begin(n int) {
	q := l.shape(n)
	q.id = fmt.Sprintf("%s-%06d", l.name, n)
	l.gone.Go(func() {
		v := l.client.visit(q)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.visits = append(l.visits, v)
	})
}

// stop begins no more visits, waits for the end of all and tells of them.
func (l *load) stop() report {
	l.cease()
	return l.rest()
}

// cease begins no more visits.
func (l *load) cease() { close(l.leave) }

// rest waits, after cease, for the end of all visits and tells of them.
func (l *load) rest() report {
	l.gone.Wait()
	return l.visits
}
