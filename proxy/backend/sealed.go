package backend

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/trackgate/trackgate/proxy/socket"
)

// sealed is a connection to a backend over TLS. It is also the socket below TLS,
// where it can do what crypto/tls does not offer: read without waiting, and take
// a record that the kernel has no room for.
type sealed struct {
	socket.Conn
	conn *tls.Conn
	by   *trust

	// Of whoever reads.
	probing bool // a read does not wait
	arrived int  // bytes that came while probing
	frame   records
	cut     bool // TCP ended, and TLS had not said that it would

	// Of whoever writes. TLS may write as well while it reads, to answer a change
	// of keys.
	mu      sync.Mutex
	eager   bool        // a write does not wait, and keeps what is not taken
	kept    []byte      // what was not taken
	closing atomic.Bool // a write does not wait, and drops what is not taken
}

// errNothing ends a read that does not wait. It calls itself temporary: crypto/tls
// reads on after such an error and after no other.
var errNothing error = nothing{}

type nothing struct{}

// Error says it.
func (nothing) Error() string { return "nothing to read" }

// Timeout is part of net.Error.
func (nothing) Timeout() bool { return true }

// Temporary is part of net.Error.
func (nothing) Temporary() bool { return true }

// seal shakes hands on tcp, by the deadline in force. An error leaves tcp to the
// caller.
func seal(ctx context.Context, tcp *net.TCPConn, by *trust) (*sealed, error) {
	s := &sealed{by: by}
	if err := s.Init(tcp); err != nil {
		return nil, err
	}
	s.conn = tls.Client(s, by.used)
	return s, s.conn.HandshakeContext(ctx)
}

// Read is for crypto/tls.
func (s *sealed) Read(p []byte) (n int, err error) {
	if s.probing {
		n, err = s.peek(p)
		s.arrived += n
	} else {
		n, err = s.Conn.Read(p)
	}
	s.frame.pass(p[:n])
	s.cut = s.cut || err == io.EOF
	return n, err
}

// peek reads without waiting.
func (s *sealed) peek(p []byte) (n int, err error) {
	var errno syscall.Errno
	if err := s.Raw().Control(func(fd uintptr) { n, errno = socket.Read(fd, p) }); err != nil {
		return 0, err
	}
	switch {
	case errno == syscall.EAGAIN:
		return 0, errNothing
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// quiet reports whether the backend has nothing to say: nothing arrives, and
// nothing that arrived with the answer before is left, be it read by crypto/tls
// or half a record that it cannot read yet. Session tickets that came with the
// answer are taken on the way.
func (s *sealed) quiet() bool {
	n, err := s.probe()
	return n == 0 && err == errNothing && s.arrived == 0 && s.frame.whole()
}

// farewell reports whether the backend has said that it is about to close
// (close_notify).
func (s *sealed) farewell() bool {
	_, err := s.probe()
	return err == io.EOF && !s.cut
}

// probe reads what should not be there, without waiting.
func (s *sealed) probe() (int, error) {
	var p [1]byte
	s.probing, s.arrived = true, 0
	n, err := s.conn.Read(p[:])
	s.probing = false
	return n, err
}

// exchangeSealed is what turn does, over TLS.
func (c *Conn) exchangeSealed() error {
	if c.reused && !c.tls.quiet() {
		return ErrStale
	}
	err := c.writeSealed()
	if err == errBlocked {
		return err
	}
	c.sent = err == nil
	if lost := c.fill(); lost == nil || err == nil {
		return lost // also when the request was not taken: the answer may be there
	}
	return err
}

// writeSealed writes out and more; errBlocked says that the socket is full. Head
// and body share a record, and so are joined first: where the answer will be.
func (c *Conn) writeSealed() (err error) {
	c.tls.setEager(true)
	for err == nil && len(c.out)+len(c.more) > 0 {
		n := copy(c.in, c.out)
		m := copy(c.in[n:], c.more)
		c.out, c.more = c.out[n:], c.more[m:]
		if _, err = c.tls.conn.Write(c.in[:n+m]); err == nil && c.tls.full() {
			err = errBlocked
		}
	}
	c.tls.setEager(false)
	return err
}

func (s *sealed) setEager(on bool) {
	s.mu.Lock()
	s.eager = on
	s.mu.Unlock()
}

// full reports whether something is left that the socket did not take.
func (s *sealed) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept) > 0
}

// writeRest writes what was kept, then the parts, and waits for that.
func (s *sealed) writeRest(parts ...[]byte) error {
	s.mu.Lock()
	err := s.flush()
	s.mu.Unlock()
	for _, p := range parts {
		if err == nil {
			_, err = s.conn.Write(p)
		}
	}
	return err
}

// Write is for crypto/tls. What it is given is one record, which must go as a
// whole or be the last.
func (s *sealed) Write(p []byte) (int, error) {
	if s.closing.Load() {
		return s.writeLast(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.eager {
		if err := s.flush(); err != nil {
			return 0, err
		}
		return s.Conn.Write(p)
	}
	n := 0
	if len(s.kept) == 0 {
		var err error
		if n, err = s.offer(p); err != nil {
			return n, err
		}
	}
	s.kept = append(s.kept, p[n:]...)
	return len(p), nil
}

// flush writes what was kept.
func (s *sealed) flush() error {
	if len(s.kept) == 0 {
		return nil
	}
	n, err := s.Conn.Write(s.kept)
	if s.kept = s.kept[n:]; err == nil {
		s.kept = nil
	}
	return err
}

// offer writes what the socket takes at once.
func (s *sealed) offer(p []byte) (n int, err error) {
	var errno syscall.Errno
	err = s.Raw().Control(func(fd uintptr) { n, errno = socket.Write(fd, p) })
	if err == nil && errno != 0 && errno != syscall.EAGAIN {
		err = errno
	}
	return n, err
}

// writeLast writes the word of parting, if that needs no waiting and is not taken
// for the rest of something else.
func (s *sealed) writeLast(p []byte) (n int, err error) {
	if !s.mu.TryLock() {
		return 0, errBlocked
	}
	defer s.mu.Unlock()
	if len(s.kept) > 0 {
		return 0, errBlocked
	}
	if n, err = s.offer(p); err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// end says goodbye (close_notify, RFC 8446 section 6.1) if the socket takes it,
// and closes.
func (s *sealed) end() {
	s.closing.Store(true)
	s.conn.Close()
}

// tunnel is a sealed connection that speaks no HTTP any more.
type tunnel struct {
	*tls.Conn
	s *sealed
}

// Close ends both directions. It does not wait.
func (t tunnel) Close() error {
	t.s.end()
	return nil
}
