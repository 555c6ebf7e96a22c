package testdns

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// patience is how long Await waits for what never happens.
const patience = 30 * time.Second

// Server is a DNS server of one test. Its methods may be called concurrently.
type Server struct {
	// Addr is where it listens, host:port, over UDP and TCP alike.
	Addr string

	t testing.TB

	mu    sync.Mutex
	zone  zone
	asked []question
	more  chan struct{} // closed and made anew with each question
}

// question is what somebody wanted to know; the name is in lower case with its
// trailing dot.
type question struct{ name, kind string }

// Start starts a server on 127.0.0.1, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartAt(t, "127.0.0.1:0")
}

// StartAt starts a server at addr, host:port. With port 0 it is any that is
// free. It ends with the test.
func StartAt(t testing.TB, addr string) *Server {
	t.Helper()
	packets, listener := listen(t, addr)
	s := &Server{Addr: listener.Addr().String(), t: t, zone: newZone(), more: make(chan struct{})}
	s.serve(&dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(s.answer)})
	s.serve(&dns.Server{Listener: listener, Handler: dns.HandlerFunc(s.answer)})
	return s
}

// listen opens both sockets on one port. Where TCP is free UDP may not be, then
// another port has its chance.
func listen(t testing.TB, addr string) (net.PacketConn, net.Listener) {
	t.Helper()
	var failed error
	for range 20 {
		listener, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return packets, listener
		}
		failed = err
		require.NoError(t, listener.Close())
	}
	require.NoError(t, failed, "no port is free for both UDP and TCP")
	return nil, nil
}

// serve lets s answer for as long as the test runs. It is only stopped once it
// has begun: before, the library would not know of it.
func (s *Server) serve(server *dns.Server) {
	begun, ended := make(chan struct{}), make(chan error, 1)
	server.NotifyStartedFunc = func() { close(begun) }
	go func() { ended <- server.ActivateAndServe() }()
	<-begun
	s.t.Cleanup(func() {
		_ = server.Shutdown()
		<-ended
	})
}

// Questions returns how many have come in so far, whatever became of them.
func (s *Server) Questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// Asked returns how many questions of one kind, such as "A", were about name.
func (s *Server) Asked(name, kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, q := range s.asked {
		if q == (question{dns.CanonicalName(name), kind}) {
			n++
		}
	}
	return n
}

// Await waits until there have been n questions in all.
func (s *Server) Await(n int) {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		have, more := len(s.asked), s.more
		s.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-more:
		case <-timeout:
			require.Failf(s.t, "too few questions", "%d came in, %d should", have, n)
		}
	}
}

// note counts one question and returns what to do about it.
func (s *Server) note(q question) rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q)
	close(s.more)
	s.more = make(chan struct{})
	return s.zone.ruleFor(q)
}
