//go:build scenario

package scenario

import (
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gentle is a listener that ends as uvicorn does: it is closed, and so is every
// connection without a request; whoever has one is answered before. Go's own
// Shutdown drops a request that was read in the moment it began, which no client
// can tell from a backend that died over it. uvicorn reads and closes on one thread;
// so what came at the last moment is either answered or reset unread.
type gentle struct {
	net.Listener
	asked sync.WaitGroup // connections with a request that was begun to be read

	mu     sync.Mutex
	conns  map[*gentleConn]struct{}
	ending bool
}

// Accept makes the connections gentle.
func (g *gentle) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &gentleConn{Conn: conn, home: g}
	c.left.L = &c.mu
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns == nil {
		g.conns = map[*gentleConn]struct{}{}
	}
	g.conns[c] = struct{}{}
	if g.ending {
		conn.Close() // as those are that wait to be accepted
	}
	return c, nil
}

// end returns when every request is answered and every connection closed.
func (g *gentle) end() {
	g.Listener.Close()
	g.mu.Lock()
	g.ending = true
	conns := slices.Collect(maps.Keys(g.conns))
	g.mu.Unlock()
	for _, c := range conns {
		c.endIdle()
	}
	g.asked.Wait()
}

// changed is told by the server what becomes of a connection.
func (g *gentle) changed(conn net.Conn, state http.ConnState) {
	c := conn.(*gentleConn)
	if state != http.StateIdle && state != http.StateClosed {
		return
	}
	g.mu.Lock()
	ending := g.ending
	if state == http.StateClosed {
		delete(g.conns, c)
	}
	g.mu.Unlock()
	c.answered(ending)
}

// gentleConn is one connection.
type gentleConn struct {
	net.Conn
	home *gentle

	mu      sync.Mutex
	left    sync.Cond // told when a Read has returned
	reading bool
	asked   bool // something of a request was read, and it is not answered
}

// Read notes that a request has begun.
func (c *gentleConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	c.reading = true
	c.mu.Unlock()
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if n > 0 && !c.asked {
		c.asked = true
		c.home.asked.Add(1)
	}
	c.left.Broadcast()
	return n, err
}

// endIdle closes a connection without a request. It ends a Read before it looks.
func (c *gentleConn) endIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.reading && !c.asked {
		c.SetReadDeadline(time.Unix(1, 0))
		c.left.Wait()
	}
	if c.asked {
		c.SetReadDeadline(time.Time{})
	} else {
		c.Close()
	}
}

// answered says that the request, if there is one, is done with.
func (c *gentleConn) answered(ending bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked {
		c.asked = false
		defer c.home.asked.Done() // the program may end then: last of all
	}
	if ending {
		c.Close()
	}
}

// pairOf makes both ends of a connection to a gentle listener.
func pairOf(t *testing.T) (g *gentle, near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g = &gentle{Listener: l}
	t.Cleanup(func() { l.Close() })
	far, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	near, err = g.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { far.Close() })
	return g, near, far
}

func TestAConnectionWithARequestIsEndedBehindItsAnswer(t *testing.T) {
	g, near, far := pairOf(t)
	io.WriteString(far, "request")
	_, err := near.Read(make([]byte, 100))
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.end()
	}()
	require.True(t, await(recovery, func() bool {
		_, err := net.Dial("tcp", g.Addr().String())
		return err != nil
	}), "the listener is closed")
	_, err = io.WriteString(near, "answer")
	require.NoError(t, err)
	select {
	case <-ended:
		t.Fatal("ended before the answer was said to be whole")
	default:
	}
	require.True(t, await(recovery, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.ending
	}))
	g.changed(near, http.StateIdle)
	<-ended
	heard, err := io.ReadAll(far)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(heard))
}

func TestAnIdleConnectionIsEndedAlthoughItIsRead(t *testing.T) {
	g, near, far := pairOf(t)
	io.WriteString(far, "request")
	_, err := near.Read(make([]byte, 100))
	require.NoError(t, err)
	g.changed(near, http.StateIdle)
	read := make(chan error)
	go func() {
		_, err := near.Read(make([]byte, 100))
		read <- err
	}()
	g.end()
	assert.Error(t, <-read)
	heard, err := io.ReadAll(far)
	require.NoError(t, err)
	assert.Empty(t, heard)
}
