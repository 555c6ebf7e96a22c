package h1

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Config is what the connections of one listener have in common.
type Config struct {
	Limits wire.Limits
	Head   time.Duration // absolute, for a head, from its first byte
	Body   time.Duration // between two reads of a body
	Grace  time.Duration // from when on Rate is demanded
	Rate   int64         // bytes a second
	Write  time.Duration // for one write of an answer
}

// deadlineSlack is how late a deadline may be, so that one that moves with each
// exchange need not be set with each exchange.
const deadlineSlack = 250 * time.Millisecond

// ServerConn reads requests from a client's connection and writes answers to
// it, one after the other. Between ReadHead and the next Await it is the
// wire.Stream of that exchange. It does not close the connection.
type ServerConn struct {
	nc      net.Conn
	config  *Config
	work    *work // nil while the connection waits
	first   [1]byte
	closing bool      // no further request is read
	aborted bool      // the last answer is not whole
	gone    bool      // nobody reads what is written
	armed   time.Time // the read deadline in force
	wArmed  time.Time // the write deadline in force
	written int64     // bytes of answers, heads included
	stopped atomic.Bool
}

// Init gives the connection to c, which is new. config may be shared.
func (c *ServerConn) Init(nc net.Conn, config *Config) {
	c.nc, c.config = nc, config
}

// Await waits until a byte of a next request is there. It returns an error that
// is a timeout when until has passed (by up to a quarter of a second), and
// io.EOF when the client has closed. The connection owns no buffers meanwhile.
// Who moves the connection's read deadline into the past ends the wait.
func (c *ServerConn) Await(until time.Time) error {
	if w := c.work; w != nil {
		if w.r < w.w {
			return nil
		}
		c.Release()
	}
	if c.armed.IsZero() || c.armed.Sub(until).Abs() > deadlineSlack {
		c.arm(until)
	}
	n, err := c.nc.Read(c.first[:])
	for n == 0 && (err == nil || early(err, until) && !early(err, c.armed)) {
		c.arm(until)
		n, err = c.nc.Read(c.first[:])
	}
	if n == 0 {
		return err
	}
	c.borrow()
	c.work.in[0], c.work.w = c.first[0], 1
	return nil
}

// early reports whether err is of a deadline that struck before the one that
// counts.
func early(err error, deadline time.Time) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(deadline)
}

func (c *ServerConn) borrow() { c.work = workPool.Get().(*work) }

// Release gives the buffers back. Nothing of the last exchange may be used
// afterwards.
func (c *ServerConn) Release() {
	if c.work != nil {
		c.work.recycle()
		c.work = nil
	}
}

// Disarm forgets the read deadline, which somebody else has moved: the next Await
// sets its own.
func (c *ServerConn) Disarm() { c.armed = time.Time{} }

// arm sets the read deadline.
func (c *ServerConn) arm(t time.Time) {
	c.armed = t
	c.nc.SetReadDeadline(t) //nolint:errcheck // a closed connection fails at the read that follows
}

// ReadHead reads the next request, of which the first byte is there since start.
// An error is a *wire.Error; when its reason is client_closed there is nobody to
// answer.
func (c *ServerConn) ReadHead(start time.Time) (*wire.Request, error) {
	w := c.work
	w.begin()
	for skipped := false; ; {
		if !skipped && w.w >= 2 && w.in[0] == '\r' && w.in[1] == '\n' {
			w.r, skipped = 2, true // RFC 9112 section 2.2: one empty line is ignored
			w.scan = Scanner{}
		}
		n, err := w.scan.Scan(w.in[w.r:w.w], c.config.Limits)
		if err == nil {
			return c.head(n)
		}
		if err != wire.ErrShort {
			return &w.req, c.fault(err)
		}
		if err := c.fill(start.Add(c.config.Head)); err != nil {
			return &w.req, c.fault(err)
		}
	}
}

// head parses the head of n bytes.
func (c *ServerConn) head(n int) (*wire.Request, error) {
	w := c.work
	if err := ParseRequest(w.take(n), &w.req, c.config.Limits); err != nil {
		return &w.req, c.fault(err)
	}
	w.base, w.left = w.r, max(0, w.req.Length)
	w.continued = !w.req.Expects || w.r < w.w
	if w.req.Length > c.config.Limits.Body {
		return &w.req, c.fault(wire.ErrBody)
	}
	return &w.req, nil
}

// fault marks the connection: nothing behind the fault is interpreted.
func (c *ServerConn) fault(err error) error {
	c.closing = true
	return err
}

// fill reads once into the buffer.
func (c *ServerConn) fill(deadline time.Time) error {
	n, err := c.read(c.work.room(), deadline)
	c.work.w += n
	return err
}

// read reads at least one byte before deadline. A shorter deadline that is still
// in force from an earlier wait is moved only when it strikes.
func (c *ServerConn) read(p []byte, deadline time.Time) (int, error) {
	if c.armed.IsZero() || c.armed.After(deadline) {
		c.arm(deadline)
	}
	for {
		if c.stopped.Load() {
			return 0, &errStopped
		}
		n, err := c.nc.Read(p)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			continue
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, clientGone(err)
		case !early(err, deadline):
			return 0, &errSlow
		}
		c.arm(deadline)
	}
}

var (
	errSlow    = wire.Error{Reason: reason.ClientTooSlow, What: "the request did not arrive in time"}
	errStopped = wire.Error{Reason: reason.ClientClosed, What: "reading was stopped"}
	errGone    = wire.Error{Reason: reason.ClientClosed, What: "the client closed the connection"}
)

// clientGone says how a connection ended: cleanly or not, the rest is missing.
func clientGone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &errGone
	}
	return &wire.Error{Reason: reason.ClientClosed, What: err.Error()}
}

// Stop ends a Read that runs in another goroutine, and every later one.
func (c *ServerConn) Stop() {
	c.stopped.Store(true)
	c.nc.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection is stopped as well
}

// Last implements wire.Stream: the connection is closed behind the answer.
func (c *ServerConn) Last() { c.closing = true }

// Closing reports whether the connection is to be closed.
func (c *ServerConn) Closing() bool { return c.closing }

// Written returns how many bytes of answers were written.
func (c *ServerConn) Written() int64 { return c.written }

// Taken returns how many bytes of the request's body were read.
func (c *ServerConn) Taken() int64 { return c.work.taken }
