package h1

import (
	"io"
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
)

// Hold implements wire.Stream. max is at most wire.MaxHold.
func (c *ServerConn) Hold(max int) (body []byte, whole bool, err error) {
	w := c.work
	switch {
	case w.req.Length == 0:
		return nil, true, nil
	case w.req.Length == wire.Unknown:
		return c.holdChunked(max)
	case w.left > int64(max):
		return nil, false, nil
	}
	need := int(w.left)
	if w.r+need <= len(w.in) {
		body, err = c.holdBehindHead(need)
	} else {
		body, err = c.holdApart(need)
	}
	w.left, w.taken = 0, w.taken+int64(len(body))
	if err != nil {
		return nil, false, c.fault(err)
	}
	return body, true, nil
}

// holdBehindHead reads a body that fits behind its head.
func (c *ServerConn) holdBehindHead(need int) ([]byte, error) {
	w := c.work
	for w.w-w.r < need {
		n, err := c.await(w.in[w.w:], int64(w.w-w.r))
		if err != nil {
			return nil, err
		}
		w.w += n
	}
	return w.take(need), nil
}

// holdApart reads a body into a buffer of its own, which grows with what is
// there, not with what was announced.
func (c *ServerConn) holdApart(need int) ([]byte, error) {
	w := c.work
	for have := 0; have < need; {
		room := w.bodyRoom(have, need)[have:]
		n := copy(room, w.in[w.r:w.w])
		w.r += n
		if n == 0 {
			var err error
			if n, err = c.await(room, int64(have)); err != nil {
				return nil, err
			}
		}
		have += n
	}
	return w.body[:need], nil
}

// holdChunked decodes up to max bytes.
func (c *ServerConn) holdChunked(max int) (body []byte, whole bool, err error) {
	w, have := c.work, 0
	for have < max {
		room := w.bodyRoom(have, max)
		n, err := c.Read(room[have:])
		have += n
		if err == io.EOF {
			return w.body[:have], true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return w.body[:have], false, nil
}

// Read implements wire.Stream.
func (c *ServerConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.work.req.Length == wire.Unknown {
		return c.readChunked(p)
	}
	return c.readPlain(p)
}

// readPlain reads a part of a body with a length.
func (c *ServerConn) readPlain(p []byte) (int, error) {
	w := c.work
	if w.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), w.left)]
	n := copy(p, w.in[w.r:w.w])
	w.r += n
	if n == 0 {
		var err error
		if n, err = c.await(p, w.taken); err != nil {
			return 0, c.fault(err)
		}
	}
	w.left -= int64(n)
	w.taken += int64(n)
	return n, nil
}

// readChunked decodes a part of a chunked body.
func (c *ServerConn) readChunked(p []byte) (int, error) {
	w := c.work
	for {
		n, used, err := w.chunk.Decode(p, w.in[w.r:w.w])
		w.r += used
		w.taken += int64(n)
		switch {
		case err != nil:
			return 0, c.fault(err)
		case w.taken > c.config.Limits.Body:
			return 0, c.fault(wire.ErrBody)
		case n > 0:
			return n, nil
		case w.chunk.Done():
			return 0, io.EOF
		}
		n, err = c.await(w.room(), w.taken)
		w.w += n
		if err != nil {
			return 0, c.fault(err)
		}
	}
}

// await reads a part of a body of which have bytes came before. They must come
// within config.Body and, what was waited for the client altogether, not below
// config.Rate: a body that drips in is not worth a place.
func (c *ServerConn) await(p []byte, have int64) (int, error) {
	if err := c.sayContinue(); err != nil {
		return 0, err
	}
	wait := c.config.Body
	if rate := c.config.Rate; rate > 0 {
		wait = min(wait, c.config.Grace+time.Duration(1000*have/rate)*time.Millisecond-c.work.waited)
	}
	start := time.Now()
	n, err := c.read(p, start.Add(wait))
	c.work.waited += time.Since(start)
	return n, err
}

// continueHead is the whole of the answer that asks for the body.
var continueHead = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// sayContinue answers Expect: 100-continue once, before the first wait for a body
// of which nothing has come, and never behind the final answer (RFC 9110 section
// 10.1.1).
func (c *ServerConn) sayContinue() error {
	if c.work.continued {
		return nil
	}
	c.work.continued = true
	return c.send(continueHead)
}

// Trailers implements wire.Stream.
func (c *ServerConn) Trailers() *wire.Fields { return c.work.chunk.Trailers() }

// consumed reports whether the body was read to its end, or can be passed over
// because the rest of it is in the buffer.
func (w *work) consumed() bool {
	if w.req.Length == wire.Unknown {
		return w.chunk.Done()
	}
	return w.left <= int64(w.w-w.r)
}
