package backend

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

const (
	inSize        = 16 << 10               // what is read of an answer at once
	deadlineSlack = 250 * time.Millisecond // how late a deadline may be
	maxInterim    = 16                     // informational answers before the final one
)

var inPool = sync.Pool{New: func() any { return new([inSize]byte) }}

// Conn is one connection to a backend, used by one exchange at a time.
type Conn struct {
	tcp    *net.TCPConn
	raw    syscall.RawConn
	step   func(fd uintptr) bool // c.turn, bound once
	home   *Conns
	reused bool
	since  time.Time // when it was put back
	armed  time.Time // the read deadline in force

	out   []byte // what turn has still to write
	more  []byte // what it writes after that
	phase phase
	err   error // what turn ended with

	in      []byte
	r, w    int
	scan    h1.Scanner
	chunk   h1.Chunks
	res     wire.Response
	left    int64
	heard   bool // a byte of the answer came
	done    bool // the answer was read to its end
	sent    bool // the request was written to its end
	interim int
}

// phase is where turn stands.
type phase uint8

const (
	checking phase = iota // nothing was written
	writing
	waiting // for the first byte
)

func newConn(tcp *net.TCPConn, home *Conns) (*Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		tcp.Close()
		return nil, err
	}
	c := &Conn{tcp: tcp, raw: raw, home: home}
	c.step = c.turn
	return c, nil
}

// begin makes c ready for an exchange.
func (c *Conn) begin(reused bool) {
	c.reused = reused
	c.in = inPool.Get().(*[inSize]byte)[:]
	c.r, c.w, c.left = 0, 0, 0
	c.heard, c.done, c.sent = false, false, false
	c.interim = 0
}

// rest gives the buffer back while c is kept.
func (c *Conn) rest(now time.Time) {
	c.since = now
	c.dropBuffer()
}

func (c *Conn) dropBuffer() {
	if len(c.in) == inSize {
		inPool.Put((*[inSize]byte)(c.in))
	}
	c.in, c.out, c.more = nil, nil, nil
}

// Close ends the connection.
func (c *Conn) Close() {
	c.dropBuffer()
	c.tcp.Close()
}

// Reused reports whether the connection carried an exchange before.
func (c *Conn) Reused() bool { return c.reused }

// clean reports whether the connection may carry another exchange: request and
// answer are whole, nothing follows, and nobody asked to close.
func (c *Conn) clean() bool {
	return c.done && c.sent && c.r == c.w && !c.res.Close && c.res.Status != 101
}

// Exchange writes head and body, which together are a whole request, and waits
// for the first bytes of the answer. ErrStale says that nothing was written; any
// other error is a *ResultError.
func (c *Conn) Exchange(head, body []byte, now time.Time) error {
	c.out, c.more, c.phase, c.err = head, body, writing, nil
	if c.reused {
		c.phase = checking
	}
	c.arm(now)
	err := c.raw.Read(c.step)
	if err == nil {
		err = c.err
	}
	if err == errBlocked {
		err = c.exchangeSlowly()
	}
	if err != nil {
		return c.failed(err)
	}
	return nil
}

// errBlocked says that the socket's buffer is full.
var errBlocked = errors.New("the socket is full")

// turn checks, writes and reads as far as the socket allows. It returns false
// to be called again when there is something to read. The order matters: the
// poller forgets what was readable before this call began, so the write has to
// happen inside of it.
func (c *Conn) turn(fd uintptr) bool {
	switch c.phase {
	case checking:
		if c.err = probe(int(fd), c.in[:1]); c.err != nil {
			return true
		}
		fallthrough
	case writing:
		c.phase = waiting
		if c.err = c.writeOut(int(fd)); c.err == nil {
			c.sent = true
			return false
		}
		// The answer may be there although the request was not taken.
		return c.err == errBlocked || c.receive(int(fd))
	default:
		return c.receive(int(fd))
	}
}

// probe reads from a connection that should have nothing to say.
func probe(fd int, p []byte) error {
	for {
		_, err := syscall.Read(fd, p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return nil
		}
		return ErrStale
	}
}

// writeOut writes out and more; errBlocked says that it could not write all.
func (c *Conn) writeOut(fd int) error {
	for len(c.out) > 0 {
		n, err := syscall.Write(fd, c.out)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return errBlocked
		case err != nil:
			return err
		}
		if c.out = c.out[n:]; len(c.out) == 0 {
			c.out, c.more = c.more, nil
		}
	}
	return nil
}

// receive reads the first bytes of the answer.
func (c *Conn) receive(fd int) bool {
	for {
		n, err := syscall.Read(fd, c.in)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN && c.err == nil:
			return false
		case n > 0:
			c.w, c.heard, c.err = n, true, nil
		case c.err != nil: // the write had failed before
		case err != nil:
			c.err = err
		default:
			c.err = io.EOF
		}
		return true
	}
}

// exchangeSlowly goes on where turn found the socket full.
func (c *Conn) exchangeSlowly() error {
	c.tcp.SetWriteDeadline(time.Now().Add(c.home.opts.Response)) //nolint:errcheck // the write fails if this does
	for _, p := range [...][]byte{c.out, c.more} {
		if _, err := c.tcp.Write(p); err != nil {
			return c.readAfter(err)
		}
	}
	c.sent = true
	return c.fill(time.Now())
}

// readAfter looks for an answer that came although the request was not taken;
// without one, it returns the error of the write.
func (c *Conn) readAfter(failed error) error {
	if err := c.fill(time.Now()); err != nil {
		return failed
	}
	return nil
}

// arm sets the read deadline for an answer, when it is not near enough.
func (c *Conn) arm(now time.Time) {
	until := now.Add(c.home.opts.Response)
	if late := c.armed.Sub(until); late < 0 || late > deadlineSlack {
		c.armed = until.Add(deadlineSlack)
		c.tcp.SetReadDeadline(c.armed) //nolint:errcheck // the read fails if this does
	}
}

// fill reads once into the buffer, which it makes larger when it is full.
func (c *Conn) fill(now time.Time) error {
	if c.r == c.w && c.done {
		c.r, c.w = 0, 0
	}
	if c.w == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	c.arm(now)
	n, err := c.tcp.Read(c.in[c.w:])
	if n > 0 {
		c.heard = true
		c.w += n
		return nil
	}
	return err
}

// failed gives an error its kind.
func (c *Conn) failed(err error) error {
	if err == ErrStale {
		return err
	}
	e := &ResultError{Kind: Closed, Addr: c.home.addr, Reused: c.reused && !c.heard, Err: err}
	var garbled *wire.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.Kind, e.Reused = Timeout, false
	case errors.As(err, &garbled):
		e.Kind, e.Reused = Garbled, false
	}
	return e
}
