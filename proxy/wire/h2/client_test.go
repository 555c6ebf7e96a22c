package h2

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/trackgate/trackgate/proxy/wire"
)

// patient is a configuration in which nothing runs out of time.
func patient() *Config {
	return &Config{
		Limits: wire.Limits{Head: 32 << 10, Target: 8 << 10, Fields: 100, Body: 1 << 20},
		Head:   time.Minute, Body: time.Minute, Grace: time.Minute, Rate: 500, Write: time.Minute,
		Streams: 100, Total: 10000, Connect: true,
	}
}

// hands serve the streams of a connection, each on a goroutine of its own.
type hands struct {
	conn  *Conn
	serve func(*Stream)
	work  sync.WaitGroup
}

func (h *hands) Serve(s *Stream) {
	h.work.Go(func() {
		defer s.End()
		h.serve(s)
	})
}

func (h *hands) Flush() { h.work.Go(h.conn.Flush) }

// client is the far end of a served connection. What it hears it writes down, a line
// for each frame: see written.
type client struct {
	t *testing.T
	net.Conn
	frames   *http2.Framer
	conn     *Conn
	patience time.Duration // how long it waits for a frame
	deaf     bool          // to answers to its settings, which come before or behind what they change
	ended    chan struct{} // closed when the served connection has ended
	err      error         // why it did
}

// dial connects over loopback to a connection whose streams serve serves.
func dial(t *testing.T, config *Config, serve func(*Stream)) *client {
	near, far := loopback(t)
	return attach(t, near, far, config, serve)
}

func loopback(t *testing.T) (near, far net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	far, err = l.Accept()
	require.NoError(t, err)
	return near, far
}

// awake is how long a connection is served on which nothing happens.
const awake = time.Minute

// attach serves far and returns the client at near.
func attach(t *testing.T, near, far net.Conn, config *Config, serve func(*Stream)) *client {
	c := attachClient(t, near)
	c.conn = new(Conn)
	h := &hands{conn: c.conn, serve: serve}
	c.conn.Init(far, config, h)
	go func() {
		defer close(c.ended)
		c.err = c.conn.Serve(awake)
		if tcp, ok := far.(*net.TCPConn); ok { // what the client still sends may not reset what it has to read
			tcp.CloseWrite()
			io.Copy(io.Discard, tcp)
		}
		far.Close()
		c.conn.Wait()
		h.work.Wait()
		c.conn.Release()
	}()
	t.Cleanup(func() { c.end() })
	return c
}

// attachClient returns the client at near, of a connection that somebody else serves.
func attachClient(t *testing.T, near net.Conn) *client {
	c := &client{t: t, Conn: near, frames: http2.NewFramer(near, near), patience: 10 * time.Second, ended: make(chan struct{})}
	c.frames.ReadMetaHeaders = hpack.NewDecoder(0, nil)
	c.frames.MaxHeaderListSize = 1 << 20
	return c
}

// greet begins as a client does.
func (c *client) greet(values ...uint32) *client {
	c.t.Helper()
	c.say(preface)
	c.say(settings(values...))
	c.hears("settings | 0 +983041 | settings ack")
	return c
}

// say writes frames, in one go.
func (c *client) say(frames ...string) *client {
	_, err := io.WriteString(c, strings.Join(frames, ""))
	require.NoError(c.t, err)
	return c
}

// next returns the next line, or "" at the end of the connection.
func (c *client) next() string {
	c.SetReadDeadline(time.Now().Add(c.patience))
	f, err := c.frames.ReadFrame()
	if err == io.EOF {
		return ""
	}
	if !assert.NoError(c.t, err) {
		return ""
	}
	line := written(f)
	if c.deaf && line == "settings ack" {
		return c.next()
	}
	return line
}

// hears says what comes next, line by line.
func (c *client) hears(want string) *client {
	c.t.Helper()
	var got []string
	for range strings.Split(want, " | ") {
		got = append(got, c.next())
	}
	require.Equal(c.t, want, strings.Join(got, " | "))
	return c
}

// rest reads until the end of the connection.
func (c *client) rest() string {
	var got []string
	for line := c.next(); line != ""; line = c.next() {
		got = append(got, line)
	}
	return strings.Join(got, " | ")
}

// closes says what comes until the end, when the client has said all. Whether requests
// that are not whole are given up before the connection is broken does not matter.
func (c *client) closes(want string) *client {
	c.t.Helper()
	c.Conn.(*net.TCPConn).CloseWrite()
	got := c.rest()
	if strings.Contains(got, "bye") {
		got = givenUp.ReplaceAllString(got, "")
	}
	require.Equal(c.t, want, got)
	return c
}

var givenUp = regexp.MustCompile(`\d+ reset CANCEL \| `)

// end closes and returns why the served connection ended.
func (c *client) end() error {
	c.Close()
	<-c.ended
	return c.err
}

// written is a frame in a line.
func written(f http2.Frame) string {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return fmt.Sprintf("%d %s", id, fieldsOf(f)) + dot(f.StreamEnded())
	case *http2.DataFrame:
		if n := len(f.Data()); n > 20 {
			return fmt.Sprintf("%d data %d", id, n) + dot(f.StreamEnded())
		}
		return fmt.Sprintf("%d %q", id, f.Data()) + dot(f.StreamEnded())
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("%d reset %v", id, f.ErrCode)
	case *http2.GoAwayFrame:
		return fmt.Sprintf("bye %d %v", f.LastStreamID, f.ErrCode)
	case *http2.WindowUpdateFrame:
		return fmt.Sprintf("%d +%d", id, f.Increment)
	case *http2.PingFrame:
		return map[bool]string{true: "pong ", false: "ping "}[f.IsAck()] + string(f.Data[:])
	case *http2.SettingsFrame:
		return map[bool]string{true: "settings ack", false: "settings"}[f.IsAck()]
	}
	return f.Header().String()
}

// dot marks the last frame of a stream.
func dot(last bool) string { return map[bool]string{true: "."}[last] }

// fieldsOf is the status and what the handler has said beside.
func fieldsOf(f *http2.MetaHeadersFrame) string {
	var all []string
	for _, field := range f.Fields {
		switch field.Name {
		case ":status":
			all = append(all, field.Value)
		case "content-length":
		default:
			all = append(all, field.Name+"="+field.Value)
		}
	}
	return strings.Join(all, " ")
}

// The frames that a client sends.

func raw(kind, flags uint8, stream uint32, payload string) string {
	return string(appendFrame(nil, frame{length: len(payload), kind: kind, flags: flags, stream: stream})) + payload
}

func number(n uint32) string {
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func settings(values ...uint32) string {
	var b []byte
	for i := 0; i < len(values); i += 2 {
		b = appendSetting(b, uint16(values[i]), values[i+1])
	}
	return raw(frameSettings, 0, 0, string(b))
}

func update(stream, n uint32) string { return raw(frameWindowUpdate, 0, stream, number(n)) }
func reset(stream uint32) string     { return raw(frameReset, 0, stream, number(uint32(Cancel))) }
func ping(text string) string        { return raw(framePing, 0, 0, text) }

func part(stream uint32, text string) string { return raw(frameData, 0, stream, text) }
func last(stream uint32, text string) string { return raw(frameData, flagEndStream, stream, text) }

// fieldBlock is a field block: names and values by turns. No table is used.
func fieldBlock(fields ...string) string {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return b.String()
}

// plain are the pseudo-fields of an ordinary request, with others behind them.
func plain(method, target string, fields ...string) string {
	return fieldBlock(append([]string{":method", method, ":scheme", "https", ":authority", "a", ":path", target}, fields...)...)
}

// get is a whole request.
func get(stream uint32, fields ...string) string {
	return raw(frameHeaders, flagEndHeaders|flagEndStream, stream, plain("GET", "/", fields...))
}

// post is the head of one with a body.
func post(stream uint32, fields ...string) string {
	return raw(frameHeaders, flagEndHeaders, stream, plain("POST", "/", fields...))
}

// trailers end a request.
func trailers(stream uint32, fields ...string) string {
	return raw(frameHeaders, flagEndHeaders|flagEndStream, stream, fieldBlock(fields...))
}

// letters is a body of n bytes in which no two places look alike.
func letters(n int) string {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%06x.", i)
	}
	return string(b[:n])
}
