package backend

import (
	"bytes"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The request of these tests, and an answer to it.
const (
	ask    = "POST /track HTTP/1.1\r\nhost: track.example.com\r\ncontent-length: 5\r\n\r\n"
	event  = "event"
	answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
)

// patient are options under which nothing ends by time.
var patient = Options{Connect: 5 * time.Second, Response: 5 * time.Second, Idle: 5 * time.Second}

// hasty are options under which an answer must come soon. deadlineSlack comes on
// top.
var hasty = Options{Connect: 5 * time.Second, Response: 30 * time.Millisecond, Idle: 5 * time.Second}

// soon is well after a deadline of hasty and well before one of patient.
const soon = 2 * time.Second

// raw is a backend that does with each connection what a test says, byte by byte.
type raw struct {
	listener *net.TCPListener
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []*net.TCPConn
}

// backendThat starts a backend on loopback and returns the connections to it. A
// connection is closed when do returns, or when the test ends.
func backendThat(t testing.TB, opts Options, do func(far)) *Conns {
	t.Helper()
	return New(listening(t, func(c *net.TCPConn) { do(c) }), opts).until(t)
}

// until closes k with the test.
func (k *Conns) until(t testing.TB) *Conns {
	t.Cleanup(k.Close)
	return k
}

// listening is the address of a backend that does that with each connection.
func listening(t testing.TB, do func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	b := &raw{listener: l}
	b.running.Go(func() { b.accept(do) })
	t.Cleanup(b.stop)
	return l.Addr().String()
}

func (b *raw) accept(do func(*net.TCPConn)) {
	for {
		c, err := b.listener.AcceptTCP()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns = append(b.conns, c)
		b.mu.Unlock()
		b.running.Go(func() {
			defer c.Close()
			do(c)
		})
	}
}

func (b *raw) stop() {
	b.listener.Close()
	b.mu.Lock()
	for _, c := range b.conns {
		c.Close()
	}
	b.mu.Unlock()
	b.running.Wait()
}

// far is the backend's end of a connection, plain or sealed.
type far interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
}

// hear reads one request; false is the end of the connection.
func hear(c net.Conn) bool {
	_, err := io.ReadFull(c, make([]byte, len(ask)+len(event)))
	return err == nil
}

// saying answers each request with the next of texts, the last one for ever.
func saying(texts ...string) func(far) {
	return func(c far) {
		for i := 0; hear(c); i++ {
			io.WriteString(c, texts[min(i, len(texts)-1)])
		}
	}
}

// once answers the first request, then does the rest.
func once(rest func(far)) func(far) {
	return func(c far) {
		if hear(c) {
			io.WriteString(c, answer)
			rest(c)
		}
	}
}

// reset ends a connection by RST.
func reset(c far) {
	c.SetLinger(0)
	c.Close()
}

// socketOf is the socket below a connection.
func socketOf(c far) *net.TCPConn {
	if sealed, ok := c.(sealedFar); ok {
		return sealed.tcp.TCPConn
	}
	return c.(*net.TCPConn)
}

// awaitReadable waits until the kernel has bytes for a socket, without reading
// them.
func awaitReadable(t testing.TB, tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	assert.NoError(t, err)
	arrived := func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return n > 0 || err != syscall.EAGAIN
	}
	assert.NoError(t, raw.Read(arrived))
}

// untilEnd reads and drops what comes until the other side ends.
func untilEnd(c far) { io.Copy(io.Discard, c) }

// unread waits for the end of the test without reading anything.
func unread(c far) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.SetReadDeadline(time.Time{}) == nil {
		<-tick.C
	}
}

// reply is an answer as it was read.
type reply struct {
	status   int
	body     string
	trailers string
}

// readAll reads the answer to its end, 1xx left out.
func readAll(c *Conn, method string) (reply, error) {
	res, err := c.ReadHead([]byte(method))
	for err == nil && res.Informational() {
		res, err = c.ReadHead([]byte(method))
	}
	if err != nil {
		return reply{}, err
	}
	r := reply{status: res.Status}
	for last := false; !last; {
		var p []byte
		if p, last, err = c.ReadBody(); err != nil {
			return r, err
		}
		r.body += string(p)
	}
	if t := c.Trailers(); t != nil {
		for _, f := range t.All() {
			r.trailers += string(f.Name) + "=" + string(f.Value) + ";"
		}
	}
	return r, nil
}

// talk is a whole exchange: the request, and all of its answer.
func talk(c *Conn, method string) (reply, error) {
	if err := c.Exchange([]byte(ask), []byte(event), time.Now()); err != nil {
		return reply{}, err
	}
	return readAll(c, method)
}

// dial makes a connection that is closed with the test.
func dial(t testing.TB, k *Conns) *Conn {
	t.Helper()
	c, err := k.Dial(t.Context())
	require.NoError(t, err)
	t.Cleanup(c.Interrupt)
	return c
}

// kept makes a connection, has an exchange on it and puts it back and takes it
// again.
func kept(t testing.TB, k *Conns) *Conn {
	t.Helper()
	c := dial(t, k)
	r, err := talk(c, "POST")
	require.NoError(t, err)
	require.Equal(t, 200, r.status)
	k.Put(c, time.Now())
	require.Same(t, c, k.Kept(time.Now()))
	return c
}

// awaitArrival waits until the kernel has something to read on c: bytes, the
// end, or an error.
func awaitArrival(t testing.TB, c *Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		require.NoError(t, c.raw.Control(func(fd uintptr) {
			_, _, err = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		}))
		return err != syscall.EAGAIN
	}, soon, time.Millisecond)
}

// failure holds an error against the kind that is wanted.
func failure(t testing.TB, err error, kind Kind) *ResultError {
	t.Helper()
	var result *ResultError
	require.ErrorAs(t, err, &result)
	require.Equal(t, kind, result.Kind, "%v", err)
	return result
}

// large is a body that no socket takes at once.
var large = bytes.Repeat([]byte("x"), 16<<20)
