package backend

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

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
	tls    *sealed // nil is plain HTTP
	raw    syscall.RawConn
	step   func(fd uintptr) bool // c.turn, bound once
	home   *Conns
	reused bool
	since  time.Time // when it was put back
	asked  time.Time // when the running exchange began
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

	allowed time.Duration // for which the backend said that it may be unused; 0: it did not
	placed  atomic.Bool   // it has one of the places of all backends
	gone    atomic.Bool   // TCP gave up on the host, and has told who wrote
	lenient bool          // TCP waits longer than usual for the backend to take what is written
	pressed bool          // a deadline for writing is set
}

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
	c.interim, c.allowed = 0, 0
}

// rest gives the buffer back while c is kept.
func (c *Conn) rest(now time.Time) {
	c.since = now
	if c.lenient {
		c.setPatience(vanished)
		c.lenient = false
	}
	if c.pressed {
		c.tcp.SetWriteDeadline(time.Time{}) //nolint:errcheck // a closed connection needs none
		c.pressed = false
	}
	c.dropBuffer()
}

func (c *Conn) dropBuffer() {
	if len(c.in) == inSize {
		inPool.Put((*[inSize]byte)(c.in))
	}
	c.in, c.out, c.more = nil, nil, nil
}

// Close ends the connection. It does not wait. Who asked for the end has it at
// once, when all was said: otherwise the port stays taken for a minute on our side
// (TIME_WAIT), and there are not that many.
func (c *Conn) Close() {
	defer c.unplace()
	if asked := c.done && c.sent && c.res.Close; asked {
		c.tcp.SetLinger(0) //nolint:errcheck // as it would be otherwise
		c.dropBuffer()
		c.tcp.Close()
		return
	}
	c.dropBuffer()
	if c.tls != nil {
		c.tls.end()
		return
	}
	c.tcp.Close()
}

// yield ends a connection that is whole and unused, so that another can be made. As many
// may be made as there are requests: none of their ports must stay taken.
func (c *Conn) yield() {
	c.tcp.SetLinger(0) //nolint:errcheck // as it would be otherwise
	c.Close()
}

// unplace gives the place of a connection that is closed to the next one.
func (c *Conn) unplace() {
	if c.placed.CompareAndSwap(true, false) {
		c.home.opts.Places.give()
	}
}

// Reused reports whether the connection carried an exchange before.
func (c *Conn) Reused() bool { return c.reused }

// clean reports whether the connection may carry another exchange: request and
// answer are whole, nothing follows, and nobody asked to close.
func (c *Conn) clean() bool {
	return c.done && c.sent && c.r == c.w && !c.res.Close && c.res.Status != 101
}

// start sets the deadline for the head of the answer. What it took to make a new
// connection does not count.
func (c *Conn) start(now time.Time) {
	if !c.reused {
		now = time.Now()
	}
	c.asked = now
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
	n, err := c.read(c.in[c.w:])
	if n > 0 {
		c.heard = true
		c.w += n
		return nil
	}
	return err
}

func (c *Conn) read(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.conn.Read(p)
	}
	return c.tcp.Read(p)
}

// fillNext is fill with a deadline of its own.
func (c *Conn) fillNext() error {
	c.arm(time.Now())
	return c.fill()
}

// end returns why the connection ended. The kernel gives a reason once, and after
// that no more than the end.
func (c *Conn) end() error {
	if c.gone.Load() {
		return syscall.ETIMEDOUT
	}
	return io.ErrUnexpectedEOF
}

// note remembers an error of a write that whoever reads will not be told.
func (c *Conn) note(err error) error {
	if err != nil && gaveUp(err) {
		c.gone.Store(true)
	}
	return err
}

// raceTime is how long after a request its connection may end without the backend
// having read it: it was idle, or the listener closed before it was accepted. That
// takes a round trip, and what a busy backend takes to close. What is reset later may
// have been read: by a host in between that says so for a backend that is gone, for
// one.
const raceTime = time.Second

// failed gives an error its kind.
func (c *Conn) failed(err error) error {
	if err == ErrStale {
		c.home.learn(c, time.Now())
		return err
	}
	ended := err
	if err == io.EOF {
		err = c.end()
	}
	e := &ResultError{Kind: kindOf(err), Addr: c.home.addr, Err: err}
	if !c.reused && !c.heard && refusesHandshake(err) {
		e.Kind = ConnectFailed
	}
	e.Unread = e.Kind == Closed && !c.heard && !alerted(err) && !errors.Is(err, net.ErrClosed) &&
		time.Since(c.asked) < raceTime && !c.swallowed(ended)
	if e.Kind == Timeout {
		c.timed = false // the caller may decide to wait on
	}
	return e
}

// StopWrite ends a Write that runs in another goroutine. What the backend
// answers can still be read.
func (c *Conn) StopWrite() { c.tcp.SetWriteDeadline(time.Unix(1, 0)) } //nolint:errcheck // a closed connection needs none

// Interrupt ends what runs on the connection in another goroutine, or is about to.
// The error that it ends with does not allow a repetition.
func (c *Conn) Interrupt() {
	defer c.unplace()
	c.tcp.Close()
}
