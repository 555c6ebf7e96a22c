package backend

import (
	"context"
	"crypto/tls"
	"errors"
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
	taking  try
	probing bool // a read does not wait
	arrived int  // bytes that came while probing
	frame   records
	cut     bool // TCP ended, and TLS had not said that it would

	// Of whoever writes. TLS may write as well while it reads, to answer a change
	// of keys.
	mu      sync.Mutex
	giving  try
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
	s.taking.do, s.giving.do = s.taking.read, s.giving.write
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
func (s *sealed) peek(p []byte) (int, error) {
	n, err := s.taking.once(&s.Conn, p)
	switch {
	case err == syscall.EAGAIN:
		return 0, errNothing
	case err == nil && n == 0:
		return 0, io.EOF
	}
	return n, err
}

// check returns nil when the backend has nothing to say: nothing arrives, and
// nothing that arrived with the answer before is left, be it read by crypto/tls
// or half a record that it cannot read yet. Session tickets that came with the
// answer are taken on the way. Otherwise it returns ErrStale, or why there is no
// connection any more.
func (s *sealed) check() error {
	n, err := s.probe()
	switch {
	case errors.Is(err, net.ErrClosed):
		return err // interrupted
	case n == 0 && err == errNothing && s.arrived == 0 && s.frame.whole():
		return nil
	}
	return ErrStale
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
func (s *sealed) offer(p []byte) (int, error) {
	n, err := s.giving.once(&s.Conn, p)
	if err == syscall.EAGAIN {
		err = nil
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
