package backend

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/trackgate/trackgate/proxy/socket"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

const (
	inSize        = 16 << 10               // what is read of an answer at once
	deadlineSlack = 250 * time.Millisecond // how late a deadline may be
	writeGrace    = time.Second            // for the rest of a request whose answer has begun
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
	timed   bool // the head's deadline is the one in force
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
	c.timed, c.heard, c.done, c.sent = false, false, false, false
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
// for the first bytes of the answer. now is when the attempt began. ErrStale says
// that nothing was written; any other error is a *ResultError.
func (c *Conn) Exchange(head, body []byte, now time.Time) error {
	c.out, c.more, c.phase, c.err = head, body, writing, nil
	if c.reused {
		c.phase = checking
	}
	c.start(now)
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
// to be called again when there may be something to read.
//
// No wake-up is lost, although the poller tells of each arrival only once:
// RawConn.Read forgets what was told before it calls turn for the first time, so
// whatever arrives after that is remembered and ends the wait, even if it came
// before the wait began. What arrived earlier has to be looked for, and is: by
// probe on a kept connection, by the read behind the write on a new one, whose
// backend may have spoken or gone before it was asked. That is also why the
// write has to happen in here and not before. A wake-up without anything to
// read, as the answer to an older arrival may be one, ends in EAGAIN and waits
// on.
//
// Neither can a deadline of an exchange before end this one: start has put off
// what it left, and the poller knows a timer that fires late by its number. The
// lock that RawConn.Read holds keeps the descriptor from being closed, and its
// number from meaning another socket, while turn runs.
func (c *Conn) turn(fd uintptr) bool {
	switch c.phase {
	case checking:
		if c.err = probe(int(fd), c.in[:1]); c.err != nil {
			return true
		}
		fallthrough
	case writing:
		c.phase = waiting
		if c.err = c.writeOut(int(fd)); c.err == errBlocked {
			return true
		}
		c.sent = c.err == nil
		if c.sent && c.reused {
			return false
		}
	}
	return c.receive(int(fd)) // also when the request was not taken: the answer may be there
}

// probe reads from a connection that should have nothing to say.
func probe(fd int, p []byte) error {
	if _, errno := socket.Read(uintptr(fd), p); errno != syscall.EAGAIN {
		return ErrStale
	}
	return nil
}

// writeOut writes out and more; errBlocked says that it could not write all.
func (c *Conn) writeOut(fd int) error {
	for len(c.out) > 0 || len(c.more) > 0 {
		if len(c.out) == 0 {
			c.out, c.more = c.more, nil
		}
		n, errno := socket.Write(uintptr(fd), c.out)
		switch errno {
		case 0:
		case syscall.EAGAIN:
			return errBlocked
		default:
			return errno
		}
		c.out = c.out[n:]
	}
	return nil
}

// receive reads the first bytes of the answer. If there are none, the error that
// a write has left stands.
func (c *Conn) receive(fd int) bool {
	n, errno := socket.Read(uintptr(fd), c.in)
	switch {
	case errno == syscall.EAGAIN && c.err == nil:
		return false
	case n > 0:
		c.w, c.heard, c.err = n, true, nil
	case c.err != nil: // the write had failed before
	case errno != 0:
		c.err = errno
	default:
		c.err = io.EOF
	}
	return true
}

// exchangeSlowly goes on where turn found the socket full. The rest is written
// by a goroutine of its own, as the backend may answer without taking it. It
// has ended when exchangeSlowly returns.
func (c *Conn) exchangeSlowly() error {
	c.tcp.SetWriteDeadline(c.armed) //nolint:errcheck // the write fails if this does
	written := make(chan error, 1)
	go func() { written <- c.writeRest() }()
	err := c.fill()
	if err == nil {
		c.tcp.SetWriteDeadline(time.Now().Add(writeGrace)) //nolint:errcheck // as above
	} else {
		c.StopWrite()
	}
	c.sent = <-written == nil
	return err
}

func (c *Conn) writeRest() error {
	for _, p := range [...][]byte{c.out, c.more} {
		if _, err := c.tcp.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// start sets the deadline for the head of the answer. What it took to make a new
// connection does not count.
func (c *Conn) start(now time.Time) {
	if !c.reused {
		now = time.Now()
	}
	c.arm(now)
	c.timed = true
}

// arm sets the read deadline for an answer, when it is not near enough.
func (c *Conn) arm(now time.Time) {
	until := now.Add(c.home.opts.Response)
	if late := c.armed.Sub(until); late < 0 || late > deadlineSlack {
		c.armed = until.Add(deadlineSlack)
		c.tcp.SetReadDeadline(c.armed) //nolint:errcheck // the read fails if this does
	}
}

// fill reads once into the buffer, which it makes larger when it is full, by the
// deadline in force.
func (c *Conn) fill() error {
	if c.w == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := c.tcp.Read(c.in[c.w:])
	if n > 0 {
		c.heard = true
		c.w += n
		return nil
	}
	return err
}

// fillNext is fill with a deadline of its own.
func (c *Conn) fillNext() error {
	c.arm(time.Now())
	return c.fill()
}

// failed gives an error its kind.
func (c *Conn) failed(err error) error {
	if err == ErrStale {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	e := &ResultError{Kind: kindOf(err), Addr: c.home.addr, Err: err}
	e.Reused = e.Kind == Closed && c.reused && !c.heard
	if e.Kind == Timeout {
		c.timed = false // the caller may decide to wait on
	}
	return e
}
