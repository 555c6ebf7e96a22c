package faults

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that will happen.
const patience = 20 * time.Second

// soon is how long a test watches that nothing happens.
const soon = 100 * time.Millisecond

// echo is a backend that says what it hears. Its connections can be had from it.
type echo struct {
	address string
	conns   chan *net.TCPConn
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &echo{address: l.Addr().String(), conns: make(chan *net.TCPConn, 100)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			select {
			case e.conns <- conn.(*net.TCPConn):
			default: // more than any test asks for
			}
			running.Go(func() {
				io.Copy(onlyWriter{conn}, conn)
				conn.(*net.TCPConn).CloseWrite()
			})
		}
	})
	t.Cleanup(func() { l.Close() })
	return e
}

// onlyWriter keeps io.Copy from moving bytes inside of the kernel, where a RST
// would overtake them.
type onlyWriter struct{ io.Writer }

// client is a connection to a proxy.
type client struct {
	*net.TCPConn
	t *testing.T
}

func dial(t *testing.T, address string) client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return client{conn.(*net.TCPConn), t}
}

func (c client) says(text string) client {
	c.t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(c.t, err)
	return c
}

func (c client) hears(text string) {
	c.t.Helper()
	got := make([]byte, len(text))
	_, err := io.ReadFull(c, got)
	require.NoError(c.t, err)
	require.Equal(c.t, text, string(got))
}

func (c client) hearsNothing() {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(soon))
	n, err := c.Read(make([]byte, 1))
	assert.Zero(c.t, n)
	assert.ErrorIs(c.t, err, os.ErrDeadlineExceeded)
	c.SetReadDeadline(time.Now().Add(patience))
}

// ends demands that nothing but want comes.
func (c client) ends(want error) {
	c.t.Helper()
	n, err := c.Read(make([]byte, 1))
	assert.Zero(c.t, n)
	assert.ErrorIs(c.t, err, want)
}

// resets demands that a new connection is reset, be it before Dial has seen it.
func resets(t *testing.T, address string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err == nil {
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		_, err = conn.Read(make([]byte, 1))
	}
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}

// opens waits until p has so many connections.
func opens(t *testing.T, p *Proxy, count int) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Open() == count }, patience, time.Millisecond)
}
