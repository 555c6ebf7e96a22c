package proxy

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/trackgate/trackgate/proxy/wire/h2"
)

// http2 is what a connection has beside, when it speaks HTTP/2.
type http2 struct {
	h2.Conn
	conn  *conn
	mu    sync.Mutex
	lanes []*streamLane // of the streams that are served
}

// streamLane is the lane of one stream, and the work for a goroutine of the crew.
type streamLane struct {
	lane
	stream *h2.Stream
	at     int // its place in lanes
}

var streamLanes = sync.Pool{New: func() any { return new(streamLane) }}

// startHTTP2 makes c speak HTTP/2.
func (c *conn) startHTTP2() {
	h := &http2{conn: c}
	h.Init(c.nc, &c.listener.h2, h)
	c.h2.Store(h)
}

// work serves requests until the connection ends or, which it reports, is to fall
// asleep.
func (h *http2) work() (asleep bool) {
	c := h.conn
	c.waiting.Store(true)
	if c.leaving() {
		h.depart()
	}
	err := h.Conn.Serve(min(awake, c.gate.timeouts().KeepAlive))
	if err == h2.ErrIdle && c.leaving() { // it has begun just now
		h.Leave()
		err = h.Conn.Serve(awake)
	}
	c.waiting.Store(false)
	if err == h2.ErrIdle && c.fallsAsleep(os.ErrDeadlineExceeded) {
		return true
	}
	h.part(err)
	h.Wait()
	return false
}

// depart has the client asked to leave. As long as the gate takes newcomers, one that has
// asked for nothing yet is asked with its first request, or when none comes.
func (h *http2) depart() {
	if h.conn.parting() {
		h.Leave()
		return
	}
	h.LeaveSoon()
}

// part ends the connection. A client that is told of its mistake gets the time to read
// that; any other knows, or does not read.
func (h *http2) part(err error) {
	c := h.conn
	var mistake *h2.Error
	switch {
	case errors.As(err, &mistake):
		c.linger()
	case err == h2.ErrIdle:
		c.farewell(os.ErrDeadlineExceeded)
	case err == h2.ErrLeft:
		c.outlast()
	case err == h2.ErrUnwritten:
		c.SetLinger(0) //nolint:errcheck // best effort: what the system holds for it is freed
	}
	c.TCPConn.Close() //nolint:errcheck // nothing is left to lose
}

// Serve implements h2.Handler.
func (h *http2) Serve(s *h2.Stream) {
	l := streamLanes.Get().(*streamLane)
	l.conn, l.stream = h.conn, s
	h.mu.Lock()
	l.at = len(h.lanes)
	h.lanes = append(h.lanes, l)
	h.mu.Unlock()
	h.conn.gate.hands.assign(l)
}

// Flush implements h2.Handler.
func (h *http2) Flush() { h.conn.gate.hands.assign((*flushing)(h)) }

// flushing is the work of writing what the reader of a connection has to say.
type flushing http2

func (f *flushing) serve() {
	h := (*http2)(f)
	defer h.survive()
	h.Conn.Flush()
}

// serve serves one stream.
func (l *streamLane) serve() {
	defer l.survive()
	l.conn.gate.serve(l.begin(l.stream, time.Now()))
	l.end()
}

// end gives lane and stream back.
func (l *streamLane) end() {
	s := l.stream
	l.conn.h2.Load().leave(l)
	l.running, l.stream, l.conn = nil, nil, nil
	l.asking.Store(nil)
	streamLanes.Put(l)
	s.End()
}

// leave takes a lane out.
func (h *http2) leave(l *streamLane) {
	h.mu.Lock()
	last := len(h.lanes) - 1
	h.lanes[l.at] = h.lanes[last]
	h.lanes[l.at].at = l.at
	h.lanes[last] = nil
	h.lanes = h.lanes[:last]
	h.mu.Unlock()
}

// interrupt ends what all exchanges of the connection wait for.
func (h *http2) interrupt() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lanes {
		l.interrupt()
	}
}

// survive is conn.survive for the goroutine of a stream: the connection ends, as what
// has panicked may have left it in any state.
func (l *streamLane) survive() {
	said := recover()
	if said == nil {
		return
	}
	c := l.conn
	c.gate.tell(said)
	if x := l.running; x != nil {
		x.abandon()
	}
	c.SetLinger(0)    //nolint:errcheck // best effort
	c.TCPConn.Close() //nolint:errcheck // nothing is left to lose
	c.h2.Load().leave(l)
	l.stream.Lose()
}

// survive is conn.survive for the goroutine that writes.
func (h *http2) survive() {
	if said := recover(); said != nil {
		h.conn.gate.tell(said)
		h.conn.TCPConn.Close() //nolint:errcheck // nothing is left to lose
	}
}
