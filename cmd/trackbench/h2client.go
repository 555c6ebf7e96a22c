package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What the client grants the proxy, which is what browsers do.
const (
	grantedTable      = 64 << 10
	grantedWindow     = 6 << 20
	grantedConnection = 15<<20 - 64<<10 + 1 // on top of what every connection begins with
)

// h2Client is one connection to the gate over HTTP/2, with one request at a time. It is
// used by one goroutine.
type h2Client struct {
	conn         *tls.Conn
	frames       *http2.Framer
	unsent       bytes.Buffer // written by frames
	fields       *hpack.Encoder
	block        bytes.Buffer // written by fields
	stream       uint32       // the last one
	greeted      bool         // the proxy's settings have come
	acknowledged bool         // ours have arrived there
}

// connectH2 is connect over HTTP/2. The preface leaves with the first request.
func (g gate) connectH2(ctx context.Context, source byte) (*h2Client, error) {
	conn, err := g.dial(ctx, source, g.tlsConfig("h2"))
	if err != nil {
		return nil, err
	}
	if agreed := conn.ConnectionState().NegotiatedProtocol; agreed != "h2" {
		return nil, errors.Join(fmt.Errorf("handshake: the protocol is %q, wanted h2", agreed), conn.Close())
	}
	c := &h2Client{conn: conn}
	c.fields = hpack.NewEncoder(&c.block)
	c.frames = http2.NewFramer(&c.unsent, conn)
	c.frames.ReadMetaHeaders = hpack.NewDecoder(grantedTable, nil)
	return c, nil
}

// post implements poster; the event is the body alone. It returns once the answer is
// read and both sides have agreed on the settings, so that nothing is under way then.
func (c *h2Client) post(event []byte) error {
	if err := c.ask(event); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	var answer h2Answer
	for !answer.ended || !c.greeted || !c.acknowledged {
		if err := c.read(&answer); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	return judgeAnswer(answer.status, answer.length)
}

// ask sends a request, before the first one the preface, in one write.
func (c *h2Client) ask(event []byte) error {
	var err error
	if c.stream == 0 {
		err = c.introduce()
	}
	c.stream = (c.stream + 1) | 1 // 1, 3, 5 and so on (RFC 9113, 5.1.1)
	return errors.Join(err,
		c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: c.pack(len(event)), EndHeaders: true}),
		c.frames.WriteData(c.stream, true, event),
		c.flush())
}

func (c *h2Client) introduce() error {
	c.unsent.WriteString(http2.ClientPreface)
	return errors.Join(
		c.frames.WriteSettings(
			http2.Setting{ID: http2.SettingHeaderTableSize, Val: grantedTable},
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: grantedWindow}),
		c.frames.WriteWindowUpdate(0, grantedConnection))
}

// pack returns the fields of a request, which the encoder writes to a buffer and cannot fail.
func (c *h2Client) pack(length int) []byte {
	c.block.Reset()
	list := []field{{":method", "POST"}, {":authority", benchHost}, {":scheme", "https"}, {":path", eventPath},
		{"content-length", strconv.Itoa(length)}}
	for _, f := range append(list, eventFields()...) {
		_ = c.fields.WriteField(hpack.HeaderField{Name: strings.ToLower(f.name), Value: f.value})
	}
	return c.block.Bytes()
}

func (c *h2Client) flush() error {
	_, err := c.unsent.WriteTo(c.conn)
	return err
}

// h2Answer is what has been read of an answer.
type h2Answer struct {
	status string
	length int
	ended  bool
}

// read takes one frame. Any that says the connection or the request will end is a failure.
func (c *h2Client) read(answer *h2Answer) error {
	frame, err := c.frames.ReadFrame()
	if err != nil {
		return err
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		return c.agree(f)
	case *http2.PingFrame:
		return c.echo(f)
	case *http2.WindowUpdateFrame:
		return nil // two events fit into the smallest window that agree lets pass
	case *http2.MetaHeadersFrame:
		answer.status, answer.ended = f.PseudoValue("status"), f.StreamEnded()
	case *http2.DataFrame:
		answer.length, answer.ended = answer.length+len(f.Data()), f.StreamEnded()
	default:
		return fmt.Errorf("unexpected %v", frame.Header())
	}
	if frame.Header().StreamID != c.stream {
		return fmt.Errorf("%v belongs to no request", frame.Header())
	}
	return nil
}

// agree takes settings and acknowledges them.
func (c *h2Client) agree(f *http2.SettingsFrame) error {
	if f.IsAck() {
		c.acknowledged = true
		return nil
	}
	c.greeted = true
	if window, ok := f.Value(http2.SettingInitialWindowSize); ok && window < eventBytes {
		return fmt.Errorf("a window of %d bytes, less than an event", window)
	}
	if size, ok := f.Value(http2.SettingHeaderTableSize); ok {
		c.fields.SetMaxDynamicTableSizeLimit(size)
	}
	return errors.Join(c.frames.WriteSettingsAck(), c.flush())
}

func (c *h2Client) echo(f *http2.PingFrame) error {
	if f.IsAck() {
		return errors.New("an answer to no ping")
	}
	return errors.Join(c.frames.WritePing(true, f.Data), c.flush())
}

// close ends the connection as a browser does that is closed: without a GOAWAY.
func (c *h2Client) close() error {
	return c.conn.Close()
}
