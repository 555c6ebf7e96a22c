package backend

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/trackgate/trackgate/proxy/socket"
)

// phase is where turn stands.
type phase uint8

const (
	checking phase = iota // nothing was written
	writing
	waiting // for the first byte
)

// Exchange writes head and body, which together are a whole request, and waits
// for the first bytes of the answer. now is when the attempt began. ErrStale says
// that nothing was written; any other error is a *ResultError.
func (c *Conn) Exchange(head, body []byte, now time.Time) error {
	c.out, c.more = head, body
	c.start(now)
	err := c.exchange()
	if err == errBlocked {
		err = c.exchangeSlowly()
	}
	if err != nil {
		return c.failed(err)
	}
	return nil
}

// exchange goes as far as the socket takes the request at once.
func (c *Conn) exchange() error {
	if c.tls != nil {
		return c.exchangeSealed()
	}
	c.phase, c.err = writing, nil
	if c.reused {
		c.phase = checking
	}
	if err := c.raw.Read(c.step); err != nil {
		return err
	}
	return c.err
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
	c.press(c.armed)
	written := make(chan error, 1)
	go func() { written <- c.note(c.writeRest()) }()
	err := c.fill()
	if err == nil {
		c.press(time.Now().Add(writeGrace))
	} else {
		c.StopWrite()
	}
	c.sent = <-written == nil
	return err
}

// writeRest writes what is left of the request, and waits for that.
func (c *Conn) writeRest() error {
	if c.tls != nil {
		return c.tls.writeRest(c.out, c.more)
	}
	for _, p := range [...][]byte{c.out, c.more} {
		if _, err := c.tcp.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// exchangeSealed is what turn does, over TLS.
func (c *Conn) exchangeSealed() error {
	if c.reused {
		if err := c.tls.check(); err != nil {
			return err
		}
	}
	err := c.writeSealed()
	if err == errBlocked {
		return err
	}
	c.sent = err == nil
	if lost := c.fill(); lost == nil || err == nil {
		return lost // also when the request was not taken: the answer may be there
	}
	return err
}

// writeSealed writes out and more; errBlocked says that the socket is full. Head
// and body share a record, and so are joined first: where the answer will be.
func (c *Conn) writeSealed() (err error) {
	c.tls.setEager(true)
	for err == nil && len(c.out)+len(c.more) > 0 {
		n := copy(c.in, c.out)
		m := copy(c.in[n:], c.more)
		c.out, c.more = c.out[n:], c.more[m:]
		if _, err = c.tls.conn.Write(c.in[:n+m]); err == nil && c.tls.full() {
			err = errBlocked
		}
	}
	c.tls.setEager(false)
	return err
}
