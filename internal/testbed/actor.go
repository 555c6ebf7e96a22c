package testbed

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patience is how long anything in a test may take that is expected to happen.
const Patience = 20 * time.Second

// Actor plays a backend: it reads requests strictly by their framing, keeps
// them, and answers as its script says.
type Actor struct {
	Addr string // host:port on loopback

	script   script
	listener net.Listener
	open     sync.WaitGroup
	seen     *queue[Request]

	gone  chan struct{}
	mu    sync.Mutex
	heads int
	wrong error                 // the first head that could not be read
	conns map[net.Conn]struct{} // nil when the actor has left
}

// Backend starts an actor that leaves with the test. Without acts it answers
// every request with 200 and no body.
func Backend(t testing.TB, acts ...Act) *Actor {
	t.Helper()
	return BackendAt(t, "127.0.0.1:0", acts...)
}

// BackendAt is Backend at an address of its own.
func BackendAt(t testing.TB, addr string, acts ...Act) *Actor {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	a := &Actor{
		Addr: l.Addr().String(), listener: l, script: newScript(acts),
		seen: newQueue[Request](), conns: map[net.Conn]struct{}{}, gone: make(chan struct{}),
	}
	a.open.Go(a.accept)
	t.Cleanup(func() {
		a.Leave()
		assert.NoError(t, a.Garbled(), "what the gate sent")
	})
	return a
}

// Leave closes the listener and all connections at once.
func (a *Actor) Leave() {
	a.listener.Close()
	a.mu.Lock()
	if a.conns != nil {
		close(a.gone)
	}
	for nc := range a.conns {
		nc.Close()
	}
	a.conns = nil
	a.mu.Unlock()
	a.open.Wait()
}

// Heads returns how many request heads came so far.
func (a *Actor) Heads() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heads
}

// Next waits for the next request that was not asked for yet. One is ready as
// soon as its body has ended, well or not.
func (a *Actor) Next(t testing.TB) Request {
	t.Helper()
	r, ok := a.seen.next(Patience)
	require.True(t, ok, "no request came to the backend %s", a.Addr)
	return r
}

func (a *Actor) accept() {
	for {
		nc, err := a.listener.Accept()
		if err != nil {
			return
		}
		if a.enter(nc) {
			a.open.Go(func() { a.serve(nc) })
		}
	}
}

// enter notes a connection, unless the actor has left.
func (a *Actor) enter(nc net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conns == nil {
		nc.Close()
		return false
	}
	a.conns[nc] = struct{}{}
	return true
}

// serve plays the script for each request of a connection.
func (a *Actor) serve(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	for n := 0; ; n++ {
		req, err := readHead(r)
		a.note(err)
		if err != nil {
			return
		}
		req.Reused = n > 0
		if !a.play(nc, r, req) {
			return
		}
	}
}

// note counts a head, or keeps the error of one. A connection may end before a
// head, but not in it.
func (a *Actor) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var garbled *headError
	switch {
	case err == nil:
		a.heads++
	case errors.As(err, &garbled) && a.wrong == nil:
		a.wrong = err
	}
}

func (a *Actor) keep(req Request) {
	if !a.script.forgets {
		a.seen.put(req)
	}
}

// Garbled returns the first error in what the gate sent. [Backend] looks when the
// test ends.
func (a *Actor) Garbled() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wrong
}

// play answers one request; false ends the connection.
func (a *Actor) play(nc net.Conn, r *bufio.Reader, req Request) bool {
	s := &a.script
	if s.early != "" {
		nc.Write([]byte(s.early)) //nolint:errcheck // the gate may be gone
	}
	if !s.deaf {
		req.readBody(r)
		a.keep(req)
	}
	select {
	case <-s.wait:
		return s.answer(nc, r, req)
	case <-a.gone:
		return false
	}
}
