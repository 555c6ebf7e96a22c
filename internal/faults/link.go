package faults

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// noHTTP is what Garbage says: no version, no status, and a byte that is no text.
const noHTTP = "HTPT/9.9 \x00\xff what? \n\n"

// link is a connection from the client's side and the one to the backend.
type link struct {
	proxy  *Proxy
	client *net.TCPConn
	silent bool          // guarded by proxy.mu; the other end has vanished
	said   atomic.Int64  // bytes of an answer since the client last wrote
	ended  chan struct{} // closed by close
	once   sync.Once

	mu      sync.Mutex
	backend *net.TCPConn // nil until it is made
}

func newLink(p *Proxy, client *net.TCPConn) *link {
	return &link{proxy: p, client: client, ended: make(chan struct{})}
}

// run lasts until both directions have ended.
func (l *link) run() {
	mode, ok := l.turn()
	if !ok {
		return
	}
	if mode.kind == reset || !l.dial() {
		l.reset()
		return
	}
	var up sync.WaitGroup
	up.Go(func() { l.pump(l.client, l.backend, l.ask) })
	l.pump(l.backend, l.client, l.answer)
	up.Wait()
}

// dial makes the connection to the backend.
func (l *link) dial() bool {
	conn, err := net.DialTimeout("tcp", l.proxy.backend, 5*time.Second)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backend = conn.(*net.TCPConn)
	select {
	case <-l.ended: // close did not see the backend
		l.backend.Close()
		return false
	default:
		return true
	}
}

// pump moves pieces by means of pass, which reports whether to go on. An end of
// one direction is handed on alone; an error ends the link as it came, by RST.
func (l *link) pump(from, to *net.TCPConn, pass func(Mode, []byte) bool) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		mode, ok := l.turn()
		switch {
		case !ok:
			return
		case n > 0 && !pass(mode, piece[:n]):
			l.close()
			return
		case errors.Is(err, io.EOF):
			to.CloseWrite()
			return
		case err != nil:
			l.reset()
			return
		}
	}
}

// ask passes a piece of a request on.
func (l *link) ask(_ Mode, piece []byte) bool {
	l.said.Store(0)
	_, err := l.backend.Write(piece)
	return err == nil
}

// answer passes a piece of an answer on, or what the mode makes of it.
func (l *link) answer(m Mode, piece []byte) bool {
	switch m.kind {
	case latency:
		if !l.wait(m.delay) {
			return false
		}
	case slice:
		return writeSliced(l.client, piece, m.bytes) == nil
	case garbage:
		piece = []byte(noHTTP)
	case cut:
		left := max(0, int64(m.bytes)-l.said.Load())
		piece = piece[:min(int64(len(piece)), left)]
	}
	said := l.said.Add(int64(len(piece))) // before the client can have heard it and ask anew
	_, err := l.client.Write(piece)
	return err == nil && (m.kind != cut || said < int64(m.bytes))
}

// writeSliced writes at most n bytes at a time. Go's connections send each write
// at once (TCP_NODELAY).
func writeSliced(to io.Writer, piece []byte, n int) error {
	for len(piece) > 0 {
		now := piece[:min(n, len(piece))]
		if _, err := to.Write(now); err != nil {
			return err
		}
		piece = piece[len(now):]
	}
	return nil
}

// turn waits until the link may go on and returns the mode to go on in; false
// when it has ended.
func (l *link) turn() (Mode, bool) {
	for {
		l.proxy.mu.Lock()
		mode, wait, changed := l.proxy.mode, l.silent || l.proxy.stopped, l.proxy.changed
		l.proxy.mu.Unlock()
		if !wait {
			return mode, true
		}
		select {
		case <-changed:
		case <-l.ended:
			return mode, false
		}
	}
}

// wait reports whether the link still is after d.
func (l *link) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ended:
		return false
	}
}

// reset closes both connections, each with RST.
func (l *link) reset() {
	l.client.SetLinger(0)
	l.mu.Lock()
	if l.backend != nil {
		l.backend.SetLinger(0)
	}
	l.mu.Unlock()
	l.close()
}

// close ends both connections. It can be called more than once.
func (l *link) close() {
	l.once.Do(func() {
		close(l.ended)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.client.Close()
		if l.backend != nil {
			l.backend.Close()
		}
	})
}
