package testbed

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Client is one connection to a gate. What it sends is written as HTTP/1.1 has it, and
// goes out so, byte for byte, or over HTTP/2 as the frames that mean the same.
type Client struct {
	net.Conn
	wording
}

// wording is how a client talks in one protocol. Answers come in the order of the
// requests.
type wording interface {
	say(raw string) error
	hint() (status int, err error)            // an informational answer
	begin(method string) (*Result, error)     // an answer without its body
	hear(p []byte) error                      // a part of the body, or of a tunnel
	rest(*Result) *Result                     // what is left of the body
	close() (unexpected string, err error)    // everything until the end of what was asked
	farewell() (unexpected string, err error) // everything until the end
}

// Way says how a client comes to a gate; the zero value is over TLS, to the first
// listener, asking for Host, in the protocol of the gate.
type Way struct {
	Protocol Protocol
	Listener int    // its place in the settings
	From     string // IP address of the client; "" is 127.0.0.1
	Name     string // SNI; "" is Host, "-" is none
	Plain    bool   // HTTP/1.1 without TLS
	Before   string // bytes to send before anything else, such as a PROXY header
	TLS      *tls.Config
	Window   uint32 // of each stream, as the client says; 0 is as large as can be
}

// Dial connects, with the TLS handshake.
func (g *Gate) Dial(t testing.TB, way Way) *Client {
	t.Helper()
	c, err := g.TryDial(t, way)
	require.NoError(t, err)
	return c
}

// TryDial is Dial where the gate may say no.
func (g *Gate) TryDial(t testing.TB, way Way) (*Client, error) {
	t.Helper()
	nc, err := g.connect(t, &way)
	if err != nil {
		return nil, err
	}
	if way.Protocol == HTTP2 {
		f, err := newFrames(nc, way.Window)
		return &Client{nc, f}, err
	}
	return &Client{nc, newPlain(nc)}, nil
}

// connect makes the connection, and says in way what is spoken on it.
func (g *Gate) connect(t testing.TB, way *Way) (net.Conn, error) {
	var dialer net.Dialer
	if way.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(way.From)}
	}
	nc, err := dialer.DialContext(t.Context(), "tcp", g.Addr(way.Listener))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { nc.Close() })
	hurry(nc)
	if _, err := io.WriteString(nc, way.Before); err != nil {
		return nil, err
	}
	way.Protocol = cmp.Or(way.Protocol, g.protocol, HTTP1)
	if way.Plain {
		way.Protocol = HTTP1
		return nc, nil
	}
	tc := tls.Client(nc, g.clientConfig(way))
	err = tc.Handshake()
	if spoken := tc.ConnectionState().NegotiatedProtocol; err == nil && way.Protocol == HTTP2 && spoken != "h2" {
		err = fmt.Errorf("the gate speaks %q", spoken)
	}
	return tc, err
}

func (g *Gate) clientConfig(way *Way) *tls.Config {
	config := way.TLS
	if config == nil {
		config = &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}
	}
	config = config.Clone()
	config.RootCAs = g.roots
	if way.Protocol == HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	switch config.ServerName = way.Name; way.Name {
	case "":
		config.ServerName = Host
	case "-":
		config.ServerName = "127.0.0.1" // addresses are never sent as SNI
	}
	return config
}

// hurry gives what comes next its time.
func hurry(nc net.Conn) {
	nc.SetDeadline(time.Now().Add(Patience)) //nolint:errcheck // a closed connection fails at once
}

// Send sends these bytes.
func (c *Client) Send(t testing.TB, raw string) {
	t.Helper()
	hurry(c)
	require.NoError(t, c.say(raw))
}

// Offer sends as much of these bytes as the gate takes, perhaps while the answer is
// read.
func (c *Client) Offer(raw string) {
	hurry(c)
	if plain, ok := c.wording.(*plain); ok {
		go plain.say(raw) //nolint:errcheck // the gate need not read it all
		return
	}
	c.say(raw) //nolint:errcheck // as above
}

// Hint waits for the next informational answer.
func (c *Client) Hint(t testing.TB) int {
	t.Helper()
	hurry(c)
	status, err := c.hint()
	require.NoError(t, err, "no informational answer came")
	return status
}

// Begun reads the head of the answer to a request with that method. Informational ones
// before it are kept in the result.
func (c *Client) Begun(t testing.TB, method string) *Result {
	t.Helper()
	hurry(c)
	r, err := c.begin(method)
	require.NoError(t, err, "no answer came")
	r.t = t
	return r
}

// Hears demands that exactly these bytes come next, of the body of an answer that has
// begun or of a tunnel.
func (c *Client) Hears(t testing.TB, want string) {
	t.Helper()
	hurry(c)
	got := make([]byte, len(want))
	require.NoError(t, c.hear(got))
	assert.True(t, want == string(got), "%.100q", got)
}

// Answer reads the answer to a request with that method, or what is left of one that
// has begun.
func (c *Client) Answer(t testing.TB, method string) *Result {
	t.Helper()
	return c.rest(c.Begun(t, method))
}

// TryAnswer is Answer where none may come, or not to its end.
func (c *Client) TryAnswer(method string) (*Result, error) {
	hurry(c)
	r, err := c.begin(method)
	if err != nil {
		return nil, err
	}
	r = c.rest(r)
	return r, r.Err
}

// GiveUp takes back what was asked last: over HTTP/2 by a reset, over HTTP/1.1 there is
// no way but to close.
func (c *Client) GiveUp() {
	if frames, ok := c.wording.(*Frames); ok {
		frames.giveUp()
		return
	}
	c.Close()
}

// Ask sends a request without a body and reads the answer: "GET /track", fields
// as in "origin: https://shop.test".
func (c *Client) Ask(t testing.TB, line string, fields ...string) *Result {
	t.Helper()
	c.Send(t, Head(line, fields...))
	method, _, _ := strings.Cut(line, " ")
	return c.Answer(t, method)
}

// Post sends a body of JSON and reads the answer.
func (c *Client) Post(t testing.TB, target, body string, fields ...string) *Result {
	t.Helper()
	fields = append([]string{"content-type: application/json", "content-length: " + strconv.Itoa(len(body))}, fields...)
	c.Send(t, Head("POST "+target, fields...)+body)
	return c.Answer(t, "POST")
}

// Silent demands that the gate ends the connection without another answer.
func (c *Client) Silent(t testing.TB) {
	t.Helper()
	hurry(c)
	unexpected, err := c.farewell()
	assert.Empty(t, unexpected)
	assert.NotErrorIs(t, err, errKept)
}

// Closed demands that the gate ends a tunnel, or what was asked last, without another
// byte.
func (c *Client) Closed(t testing.TB) {
	t.Helper()
	hurry(c)
	unexpected, err := c.close()
	assert.Empty(t, unexpected)
	assert.NotErrorIs(t, err, errKept)
}

// Head is a request head for Host, unless a field names another.
func Head(line string, fields ...string) string {
	head := line + " HTTP/1.1\r\n"
	named := false
	for _, f := range fields {
		named = named || strings.HasPrefix(strings.ToLower(f), "host:")
	}
	if !named {
		head += "Host: " + Host + "\r\n"
	}
	for _, f := range fields {
		head += f + "\r\n"
	}
	return head + "\r\n"
}

// Chunked is a body in chunks of the given sizes at most.
func Chunked(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		b.WriteString(strconv.FormatInt(int64(n), 16) + "\r\n" + body[:n] + "\r\n")
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}
