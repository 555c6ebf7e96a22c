package testbed

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Client is one connection to a gate. It sends what it is told, byte for byte.
type Client struct {
	net.Conn
	r *bufio.Reader
}

// Way says how a client comes to a gate; the zero value is over TLS, to the first
// listener, asking for Host.
type Way struct {
	Listener int    // its place in the settings
	From     string // IP address of the client; "" is 127.0.0.1
	Name     string // SNI; "" is Host, "-" is none
	Plain    bool
	Before   string // bytes to send before anything else, such as a PROXY header
	TLS      *tls.Config
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
	var dialer net.Dialer
	if way.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(way.From)}
	}
	nc, err := dialer.DialContext(t.Context(), "tcp", g.Addr(way.Listener))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(Patience)) //nolint:errcheck // the reads fail if this does
	if _, err := io.WriteString(nc, way.Before); err != nil {
		return nil, err
	}
	if way.Plain {
		return &Client{nc, bufio.NewReader(nc)}, nil
	}
	tc := tls.Client(nc, g.clientConfig(way))
	return &Client{tc, bufio.NewReader(tc)}, tc.Handshake()
}

func (g *Gate) clientConfig(way Way) *tls.Config {
	config := way.TLS
	if config == nil {
		config = &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}
	}
	config = config.Clone()
	config.RootCAs = g.roots
	switch config.ServerName = way.Name; way.Name {
	case "":
		config.ServerName = Host
	case "-":
		config.ServerName = "127.0.0.1" // addresses are never sent as SNI
	}
	return config
}

// hurry gives what comes next its time.
func (c *Client) hurry() {
	c.SetDeadline(time.Now().Add(Patience)) //nolint:errcheck // a closed connection fails at once
}

// Send sends these bytes.
func (c *Client) Send(t testing.TB, raw string) {
	t.Helper()
	c.hurry()
	_, err := io.WriteString(c, raw)
	require.NoError(t, err)
}

// Answer reads the answer to a request with that method. Informational ones
// before it are kept in the result.
func (c *Client) Answer(t testing.TB, method string) *Result {
	t.Helper()
	c.hurry()
	var interim []int
	for {
		res, err := http.ReadResponse(c.r, &http.Request{Method: method})
		require.NoError(t, err, "no answer came")
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			interim = append(interim, res.StatusCode)
			continue
		}
		body, err := io.ReadAll(res.Body)
		return &Result{t: t, Status: res.StatusCode, Header: res.Header, Body: string(body), Err: err, Interim: interim, closes: res.Close, trailer: res.Trailer}
	}
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

// Reader reads what follows the answers so far.
func (c *Client) Reader() io.Reader { return c.r }

// Silent demands that the gate ends the connection without another byte.
func (c *Client) Silent(t testing.TB) {
	t.Helper()
	c.hurry()
	rest, err := io.ReadAll(c.r)
	assert.Empty(t, string(rest))
	var slow net.Error
	assert.False(t, errors.As(err, &slow) && slow.Timeout(), "the gate keeps the connection open")
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
