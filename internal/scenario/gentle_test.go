//go:build scenario

package scenario

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gentle is a listener of which a connection is not closed as idle when a request
// was read from it already. Go's server does that as it shuts down: it takes a
// connection for idle until it has the whole head. uvicorn does not, as it reads
// and closes on one thread; so the request that came at the last moment is either
// answered, or reset unread, which the gate can tell.
type gentle struct {
	net.Listener
	asked sync.WaitGroup // connections with a request that was begun to be read
}

// Accept makes the connections gentle.
func (g *gentle) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &gentleConn{Conn: conn, home: g}
	c.left.L = &c.mu
	return c, nil
}

// changed is told by the server what becomes of a connection.
func (g *gentle) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateIdle || state == http.StateClosed {
		conn.(*gentleConn).answered(state == http.StateClosed)
	}
}

// gentleConn is one connection.
type gentleConn struct {
	net.Conn
	home *gentle

	mu      sync.Mutex
	left    sync.Cond // told when a Read has returned
	reading bool
	asked   bool // something of a request was read, and it is not answered
	spared  bool // a Close did nothing, as there was a request
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

// Close closes a connection without a request. It ends a Read before it looks.
func (c *gentleConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.reading && !c.asked {
		c.SetReadDeadline(time.Unix(1, 0))
		c.left.Wait()
	}
	if c.asked {
		c.spared = true
		return c.SetReadDeadline(time.Time{})
	}
	return c.Conn.Close()
}

// answered says that the request is done with, and closes what had to be closed.
func (c *gentleConn) answered(closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked {
		c.asked = false
		c.home.asked.Done()
	}
	if c.spared || closed {
		c.Conn.Close()
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

func TestAConnectionWithARequestOutlivesItsClosing(t *testing.T) {
	g, near, far := pairOf(t)
	io.WriteString(far, "request")
	_, err := near.Read(make([]byte, 100))
	require.NoError(t, err)
	require.NoError(t, near.Close())
	_, err = io.WriteString(near, "answer")
	require.NoError(t, err)
	g.changed(near, http.StateClosed)
	g.asked.Wait()
	heard, err := io.ReadAll(far)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(heard))
}

func TestAnIdleConnectionIsClosedAlthoughItIsRead(t *testing.T) {
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
	require.NoError(t, near.Close())
	assert.Error(t, <-read)
	heard, err := io.ReadAll(far)
	require.NoError(t, err)
	assert.Empty(t, heard)
	g.asked.Wait()
}
