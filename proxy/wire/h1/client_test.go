package h1

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// patient is a configuration in which nothing runs out of time.
func patient() *Config {
	return &Config{Limits: usual, Head: time.Minute, Body: time.Minute, Grace: time.Minute, Rate: 500, Write: time.Minute}
}

const idle = time.Minute // how long the served connection waits for a next request

// serving answers one request.
type serving func(c *ServerConn, r *wire.Request) error

// client is the far end of a served connection.
type client struct {
	t *testing.T
	net.Conn
	in       *bufio.Reader
	patience time.Duration // how long it waits for an answer
	ended    chan struct{} // closed when the served connection has ended
	err      error         // why it did
}

// dial connects over loopback to a connection that serve serves.
func dial(t *testing.T, config *Config, serve serving) *client {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	return attach(t, near, far, func(nc net.Conn) error { return serveAll(nc, config, serve) })
}

// attach runs run on far and returns the client at near.
func attach(t *testing.T, near, far net.Conn, run func(net.Conn) error) *client {
	c := &client{t: t, Conn: near, in: bufio.NewReader(near), patience: 30 * time.Second, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.err = run(far)
		if tcp, ok := far.(*net.TCPConn); ok { // what the client still sends may not reset what it has to read
			tcp.CloseWrite()
			io.Copy(io.Discard, tcp)
		}
		far.Close()
	}()
	t.Cleanup(func() { near.Close() })
	return c
}

// serveAll reads requests until the connection is to be closed.
func serveAll(nc net.Conn, config *Config, serve serving) error {
	var c ServerConn
	c.Init(nc, config)
	defer c.Release()
	for {
		if err := c.Await(time.Now().Add(idle)); err != nil {
			return err
		}
		r, err := c.ReadHead(time.Now())
		if err == nil {
			err = serve(&c, r)
		}
		if err != nil {
			return refuse(&c, err)
		}
		if !c.Next() {
			return nil
		}
	}
}

// refuse answers err, if there is somebody to answer.
func refuse(c *ServerConn, err error) error {
	if why := wire.ReasonOf(err, reason.ClientClosed); why != reason.ClientClosed {
		c.Start(why.Status())
		c.Frame(0)
		c.Finish(nil, nil)
	}
	return err
}

// echo answers with the request line, the body and its trailers.
func echo(c *ServerConn, r *wire.Request) error {
	body, whole, err := c.Hold(wire.MaxHold)
	body = append([]byte(nil), body...)
	for piece := make([]byte, 1000); err == nil && !whole; {
		var n int
		n, err = c.Read(piece)
		body = append(body, piece[:n]...)
	}
	if err != nil && err != io.EOF {
		return err
	}
	c.Start(200)
	c.Field("x-line", fmt.Appendf(nil, "%s %s %d", r.Method, r.Target, c.Taken()))
	for i := range c.Trailers().All() {
		c.Pass(&c.Trailers().All()[i])
	}
	c.Frame(int64(len(body)))
	return c.Finish(body, nil)
}

// hello answers without a look at the body.
func hello(c *ServerConn, _ *wire.Request) error {
	c.Start(200)
	c.Frame(5)
	return c.Finish([]byte("hello"), nil)
}

// send writes text.
func (c *client) send(text string) *client {
	_, err := io.WriteString(c, text)
	require.NoError(c.t, err)
	return c
}

// answer reads one answer to a request of that method.
func (c *client) answer(method string) *answer {
	c.SetReadDeadline(time.Now().Add(c.patience))
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	require.NoError(c.t, err)
	body, err := io.ReadAll(res.Body)
	return &answer{c.t, res, string(body), err}
}

// raw reads n bytes as they come.
func (c *client) raw(n int) string {
	c.SetReadDeadline(time.Now().Add(c.patience))
	b := make([]byte, n)
	_, err := io.ReadFull(c.in, b)
	require.NoError(c.t, err)
	return string(b)
}

// all reads until the end of the connection.
func (c *client) all() string {
	c.SetReadDeadline(time.Now().Add(c.patience))
	b, err := io.ReadAll(c.in)
	require.NoError(c.t, err)
	return string(b)
}

// end closes and returns why the served connection ended.
func (c *client) end() error {
	c.Close()
	<-c.ended
	return c.err
}

// endsWith says that the served connection ends by itself, for a reason or, if
// that is empty, in order.
func (c *client) endsWith(want string) {
	c.t.Helper()
	assert.Empty(c.t, c.all(), "bytes behind the last answer")
	assert.Equal(c.t, want, reasonOf(c.end()))
}

// answer is what came back.
type answer struct {
	t    *testing.T
	res  *http.Response
	body string
	err  error // of reading the body
}

func (a *answer) is(status int, body string) *answer {
	a.t.Helper()
	assert.Equal(a.t, status, a.res.StatusCode)
	assert.True(a.t, a.body == body, "a body of %d bytes instead of %d: %.80q", len(a.body), len(body), a.body)
	assert.NoError(a.t, a.err)
	return a
}

func (a *answer) has(name, value string) *answer {
	a.t.Helper()
	assert.Equal(a.t, value, a.res.Header.Get(name), name)
	return a
}

func (a *answer) closes(want bool) *answer {
	a.t.Helper()
	assert.Equal(a.t, want, a.res.Close, "connection: close")
	return a
}

// post is a request with a body of its own length.
func post(target, body string, fields ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s", target, len(body), lines(fields), body)
}

// chunkedPost is a request with a body in chunks of a size, and trailer lines.
func chunkedPost(body string, size int, trailers ...string) string {
	coded := []byte("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		coded = AppendChunk(coded, []byte(body[:n]))
		body = body[n:]
	}
	return string(coded) + "0\r\n" + lines(trailers) + "\r\n"
}

func get(target string, fields ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + lines(fields) + "\r\n"
}

func lines(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return strings.Join(fields, "\r\n") + "\r\n"
}

// letters is a body of n bytes in which no two places look alike.
func letters(n int) string {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%06x.", i)
	}
	return string(b[:n])
}
