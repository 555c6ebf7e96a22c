package h1

import (
	"net"
	"strconv"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Inform implements wire.Stream. fields may be nil. HTTP/1.0 has no 1xx (RFC 9110
// section 15.2).
func (c *ServerConn) Inform(status int, fields *wire.Fields) error {
	w := c.work
	if w.req.Version == wire.HTTP10 {
		return nil
	}
	w.out = appendFields(appendStatus(w.out[:0], status), fields)
	return c.flush(append(w.out, '\r', '\n'))
}

// Start implements wire.Stream.
func (c *ServerConn) Start(status int) {
	w := c.work
	w.out = appendStatus(w.out[:0], status)
	w.bodyless = !wire.HasBody(status, w.req.Method)
	w.status, w.length, w.sent, w.chunked = status, wire.Unknown, 0, false
	w.continued = true
}

// Field implements wire.Stream.
func (c *ServerConn) Field(name string, value []byte) {
	w := c.work
	w.out = append(w.out, name...)
	w.out = append(w.out, ':', ' ')
	w.out = append(w.out, value...)
	w.out = append(w.out, '\r', '\n')
}

// Pass implements wire.Stream.
func (c *ServerConn) Pass(f *wire.Field) {
	c.work.out = AppendField(c.work.out, f.Name, f.Value)
}

// Frame implements wire.Stream: it decides how the client will know the end of
// the body (RFC 9112 section 6.3) and whether the connection can be used again.
func (c *ServerConn) Frame(length int64) {
	w := c.work
	w.length = length
	w.chunked = length == wire.Unknown && !w.bodyless && w.req.Version == wire.HTTP11
	if w.endsByClose() || w.req.Close || !w.consumed() || c.stopped.Load() {
		c.closing = true
	}
	switch {
	case w.chunked:
		w.out = append(w.out, "transfer-encoding: chunked\r\n"...)
	case length >= 0 && w.status != 204: // RFC 9110 section 8.6
		w.out = append(w.out, "content-length: "...)
		w.out = strconv.AppendInt(w.out, length, 10)
		w.out = append(w.out, '\r', '\n')
	}
	if c.closing {
		w.out = append(w.out, "connection: close\r\n"...)
	}
	w.out = append(w.out, '\r', '\n')
}

// Switch implements wire.Stream: it writes the head of 101 (RFC 9110 section 7.8).
// The caller owns the connection from then on, and its deadlines, which may still be
// set.
func (c *ServerConn) Switch(fields *wire.Fields) (wire.Tunnel, error) {
	w := c.work
	c.closing = true
	w.out = append(appendStatus(w.out[:0], 101), "connection: upgrade\r\nupgrade: websocket\r\n"...)
	w.out = appendFields(w.out, fields)
	if err := c.flush(append(w.out, '\r', '\n')); err != nil {
		return nil, err
	}
	return &tunnel{Conn: c.nc, ahead: w.in[w.r:w.w]}, nil
}

// tunnel is a connection that no longer speaks HTTP.
type tunnel struct {
	net.Conn
	ahead []byte // what was read behind the head
}

// Read reads what was read ahead first.
func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.ahead) > 0 {
		n := copy(p, t.ahead)
		t.ahead = t.ahead[n:]
		return n, nil
	}
	return t.Conn.Read(p)
}

// endsByClose reports whether the end of the connection ends the answer.
func (w *work) endsByClose() bool { return w.length == wire.Unknown && !w.chunked && !w.bodyless }

// Write implements wire.Stream.
func (c *ServerConn) Write(p []byte) error {
	w := c.work
	w.sent += int64(len(p))
	switch {
	case w.bodyless || len(p) == 0:
		return c.flush(w.out)
	case w.length >= 0 && w.sent > w.length:
		return c.fault(wire.ErrLength)
	case w.chunked:
		return c.flush(AppendChunk(w.out, p))
	case len(w.out)+len(p) <= joined:
		return c.flush(append(w.out, p...))
	}
	if err := c.flush(w.out); err != nil {
		return err
	}
	return c.send(p)
}

// Finish implements wire.Stream.
func (c *ServerConn) Finish(p []byte, trailers *wire.Fields) error {
	w := c.work
	if !w.chunked {
		err := c.Write(p)
		if err == nil && !w.bodyless && w.length >= 0 && w.sent != w.length {
			return c.fault(wire.ErrLength)
		}
		return err
	}
	if len(p) > 0 {
		w.out = AppendChunk(w.out, p)
	}
	return c.flush(AppendLastChunk(w.out, trailers))
}

// Abort implements wire.Stream. The caller closes the connection.
func (c *ServerConn) Abort(r reason.Reason) {
	c.closing, c.aborted = true, true
	c.gone = c.gone || r == reason.ClientClosed
}

// Resets reports whether the connection is to be ended by a reset: the client has
// gone, or an answer that ends now would look whole to it, as one that ends by close.
func (c *ServerConn) Resets() bool {
	return c.gone || c.aborted && c.work != nil && c.work.endsByClose()
}

// Next makes the connection ready for the next request, after an answer. It
// reports whether there may be one.
func (c *ServerConn) Next() bool {
	if c.closing {
		return false
	}
	c.work.r += int(c.work.left)
	c.work.left = 0
	return true
}

// flush sends b, which is out, and keeps its storage.
func (c *ServerConn) flush(b []byte) error {
	c.work.out = b[:0]
	if len(b) == 0 {
		return nil
	}
	return c.send(b)
}

// writeSlack is how late a write deadline may be, at most.
const writeSlack = time.Second

// send writes within the write deadline, which moves only when it is near.
func (c *ServerConn) send(p []byte) error {
	now := time.Now()
	if c.wArmed.Sub(now) < c.config.Write {
		c.wArmed = now.Add(c.config.Write + min(c.config.Write/4, writeSlack))
		c.nc.SetWriteDeadline(c.wArmed) //nolint:errcheck // a closed connection fails at the write that follows
	}
	n, err := c.nc.Write(p)
	c.written += int64(n)
	if err != nil {
		return c.fault(clientGone(err))
	}
	return nil
}

// appendStatus appends a status line; the reason phrase is for people only.
func appendStatus(dst []byte, status int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, phrase(status)...)
	return append(dst, '\r', '\n')
}
