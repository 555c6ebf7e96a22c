package backend

import (
	"errors"
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// ReadHead reads the next head of an answer to a request with that method. A
// 1xx is returned as it is; the caller asks again for the final one. The
// result is valid until the connection is used again. An error is a
// *ResultError; after one of kind Timeout, ReadHead may be called again.
//
// A head has one deadline, however its bytes come; a 1xx gives the next one
// another.
func (c *Conn) ReadHead(method []byte) (*wire.Response, error) {
	c.startHead()
	for {
		n, err := c.scan.Scan(c.in[c.r:c.w], h1.ResponseLimits)
		if err == nil {
			return c.head(n, method)
		}
		if err != wire.ErrShort {
			return nil, c.failed(garbledBy(err))
		}
		if err := c.fill(); err != nil {
			return nil, c.failed(err)
		}
	}
}

// startHead makes room for a head: that of the 1xx before is not needed any
// more.
func (c *Conn) startHead() {
	c.scan = h1.Scanner{}
	c.res.Reset()
	c.w = copy(c.in, c.in[c.r:c.w])
	c.r = 0
	if !c.timed {
		c.arm(time.Now())
		c.timed = true
	}
}

func garbled(what string) error { return &wire.Error{Reason: reason.BackendMalformed, What: what} }

// garbledBy says of an error that the engine has for both sides that the
// backend made it.
func garbledBy(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		return garbled(e.What)
	}
	return garbled(err.Error())
}

// head parses the head of n bytes.
func (c *Conn) head(n int, method []byte) (*wire.Response, error) {
	head := c.in[c.r : c.r+n]
	c.r += n
	if err := h1.ParseResponse(head, &c.res, method); err != nil {
		return nil, c.failed(err)
	}
	if c.expired() {
		return nil, &ResultError{Kind: Closed, Addr: c.home.addr, Unread: true, Err: errExpired}
	}
	if c.res.Informational() {
		if c.interim++; c.interim > maxInterim {
			return nil, c.failed(garbled("too many informational answers"))
		}
		c.timed = false
		return &c.res, nil
	}
	c.allowed = allowance(&c.res.Fields)
	c.left = c.res.Length
	if !wire.HasBody(c.res.Status, method) {
		c.left = 0
	}
	if c.res.Chunked {
		c.chunk.Reset()
	}
	c.done = c.left == 0
	return &c.res, nil
}

// errExpired is an answer that answers nothing.
var errExpired = errors.New("closed for being idle, with status 408")

// expired reports whether the answer is one that some servers give an idle
// connection before they close it. It may have crossed with the request, which may
// then be sent again (RFC 9110 section 15.5.9).
func (c *Conn) expired() bool { return c.reused && c.res.Status == 408 && c.res.Close }

// ReadBody returns the next part of the body, at the latest when the backend
// sends more, and whether it is the last one. The slice is valid until the next
// call. An error is a *ResultError: the answer is not whole.
func (c *Conn) ReadBody() (p []byte, last bool, err error) {
	if c.done {
		return nil, true, nil
	}
	for {
		if p, err = c.cut(); err != nil {
			return nil, false, c.failed(err)
		}
		if len(p) > 0 || c.done {
			return p, c.done, nil
		}
		if c.r == c.w {
			c.r, c.w = 0, 0 // the head is not needed any more: its fields were passed on
		}
		if err := c.fillNext(); err != nil {
			if err == io.EOF && c.endsByClose() {
				c.done = true
				return nil, true, nil
			}
			return nil, false, c.failed(err)
		}
	}
}

// Hold reads the whole body when it has a length of at most max bytes; ok says
// whether it has. The slice is valid until the connection is used again.
func (c *Conn) Hold(max int) (p []byte, ok bool, err error) {
	if c.done {
		return nil, true, nil
	}
	if c.res.Chunked || c.res.Length == wire.Unknown || c.left > int64(max) {
		return nil, false, nil
	}
	for int64(c.w-c.r) < c.left {
		if err := c.fillNext(); err != nil {
			return nil, false, c.failed(err)
		}
	}
	p, err = c.cut()
	return p, true, err
}

// Whole reports whether all of the answer is here, so that nothing of it has to be
// waited for.
func (c *Conn) Whole() bool {
	return c.done || !c.res.Chunked && c.res.Length >= 0 && int64(c.w-c.r) >= c.left
}

// Buffered reports whether a part of the body can be had without waiting.
func (c *Conn) Buffered() bool { return c.r < c.w || c.done }

// endsByClose reports whether the body ends with the connection (RFC 9112
// section 6.3, rule 8). Over TLS somebody on the way could make that end; only
// one that the backend itself has told of is one (section 9.8).
func (c *Conn) endsByClose() bool {
	return !c.res.Chunked && c.res.Length == wire.Unknown && (c.tls == nil || !c.tls.cut)
}

// cut takes what is there of the body from the buffer.
func (c *Conn) cut() ([]byte, error) {
	p := c.in[c.r:c.w]
	switch {
	case c.res.Chunked:
		n, used, err := c.chunk.Decode(p, p)
		c.r += used
		c.done = c.chunk.Done()
		if err != nil {
			return nil, garbledBy(err)
		}
		return p[:n], nil
	case c.res.Length >= 0:
		p = p[:min(int64(len(p)), c.left)]
		c.left -= int64(len(p))
		c.done = c.left == 0
	}
	c.r += len(p)
	return p, nil
}

// Trailers returns the fields behind the body, once it was read to its end.
func (c *Conn) Trailers() *wire.Fields {
	if !c.res.Chunked {
		return nil
	}
	return c.chunk.Trailers()
}
