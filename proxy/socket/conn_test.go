package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair returns both ends of a connection on loopback.
func pair(t testing.TB) (*Conn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	near, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { near.Close(); far.Close() })
	c := &Conn{}
	require.NoError(t, c.Init(near.(*net.TCPConn)))
	return c, far.(*net.TCPConn)
}

func TestReadReturnsWhatIsThere(t *testing.T) {
	c, far := pair(t)
	_, err := far.Write([]byte("hello"))
	require.NoError(t, err)
	p := make([]byte, 64)
	n, err := c.Read(p)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(p[:n]))
}

func TestReadWaitsForTheFirstByte(t *testing.T) {
	c, far := pair(t)
	read := make(chan byte)
	go func() {
		var p [1]byte
		c.Read(p[:]) //nolint:errcheck // the byte says it
		read <- p[0]
	}()
	_, err := far.Write([]byte{7})
	require.NoError(t, err)
	assert.EqualValues(t, 7, <-read)
}

func TestReadSaysEOFAtTheEnd(t *testing.T) {
	c, far := pair(t)
	far.Close()
	n, err := c.Read(make([]byte, 1))
	assert.Zero(t, n)
	assert.Equal(t, io.EOF, err)
}

func TestReadTellsAReset(t *testing.T) {
	c, far := pair(t)
	far.SetLinger(0) //nolint:errcheck // a close without it fails the test
	far.Close()
	_, err := c.Read(make([]byte, 1))
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}

// A timeout must look like net's own: TLS goes on after one that is temporary.
func TestReadEndsAtItsDeadlineAndCanGoOn(t *testing.T) {
	c, far := pair(t)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var timeout net.Error
	require.True(t, errors.As(err, &timeout))
	assert.True(t, timeout.Timeout())

	require.NoError(t, c.SetReadDeadline(time.Time{}))
	_, err = far.Write([]byte("x"))
	require.NoError(t, err)
	n, err := c.Read(make([]byte, 1))
	assert.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestCloseEndsARead(t *testing.T) {
	c, _ := pair(t)
	ended := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	c.Close()
	assert.ErrorIs(t, <-ended, net.ErrClosed)
}

func TestWriteWritesAllOfALargeSlice(t *testing.T) {
	c, far := pair(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // more than any socket takes at once
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(far)
		got <- all
	}()
	n, err := c.Write(sent)
	require.NoError(t, err)
	assert.Equal(t, len(sent), n)
	require.NoError(t, c.CloseWrite())
	assert.True(t, bytes.Equal(sent, <-got))
}

func TestWriteEndsAtItsDeadlineAndSaysHowFarItCame(t *testing.T) {
	c, _ := pair(t)
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	p := make([]byte, 16<<20)
	n, err := c.Write(p)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.Less(t, n, len(p))
	assert.Positive(t, n)
}

func TestWriteTellsAClosedFarEnd(t *testing.T) {
	c, far := pair(t)
	far.SetLinger(0) //nolint:errcheck // a close without it fails the test
	far.Close()
	_, err := io.ReadAll(c)
	require.Error(t, err)
	_, err = c.Write([]byte("x"))
	assert.ErrorIs(t, err, syscall.EPIPE)
}

func TestNothingIsReadOrWrittenForEmptySlices(t *testing.T) {
	c, far := pair(t)
	far.Close()
	n, err := c.Read(nil)
	assert.NoError(t, err)
	assert.Zero(t, n)
	n, err = c.Write(nil)
	assert.NoError(t, err)
	assert.Zero(t, n)
}

func TestReadsAndWritesAllocateNothing(t *testing.T) {
	c, far := pair(t)
	p := make([]byte, 64)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c.Write(p[:8]) //nolint:errcheck // the read that follows fails
		far.Read(p)    //nolint:errcheck // as above
		far.Write(p[:8])
		c.Read(p) //nolint:errcheck // it only counts
	}))
}
