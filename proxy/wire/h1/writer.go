package h1

import (
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
	w.bodyless = !HasBody(status, w.req.Method)
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

// Switch writes the head of 101 for the websocket protocol (RFC 9110 section
// 7.8) with the backend's fields. Tunnel follows.
func (c *ServerConn) Switch(fields *wire.Fields) error {
	w := c.work
	w.out = append(appendStatus(w.out[:0], 101), "connection: upgrade\r\nupgrade: websocket\r\n"...)
	w.out = appendFields(w.out, fields)
	return c.flush(append(w.out, '\r', '\n'))
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
		return c.fault(&errLength)
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

// errLength keeps an answer of the wrong length from being taken for a whole one,
// and what is beyond it for the next answer.
var errLength = wire.Error{Reason: reason.BackendMalformed, What: "the answer's body is not as long as was said"}

// Finish implements wire.Stream.
func (c *ServerConn) Finish(p []byte, trailers *wire.Fields) error {
	w := c.work
	if !w.chunked {
		err := c.Write(p)
		if err == nil && !w.bodyless && w.length >= 0 && w.sent != w.length {
			return c.fault(&errLength)
		}
		return err
	}
	if len(p) > 0 {
		w.out = AppendChunk(w.out, p)
	}
	return c.flush(AppendLastChunk(w.out, trailers))
}

// Abort implements wire.Stream. The caller closes the connection.
func (c *ServerConn) Abort() { c.closing = true }

// Cut reports whether an answer that ends now would look whole to the client:
// one that ends by close. It must then be ended by a reset.
func (c *ServerConn) Cut() bool {
	return c.work != nil && c.work.endsByClose()
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
