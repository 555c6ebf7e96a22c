package backend

import "time"

// Streaming starts an exchange whose body follows by Write. It writes head.
// ErrStale says that nothing was written; any other error is a *ResultError.
func (c *Conn) Streaming(head []byte, now time.Time) error {
	c.start(now)
	if c.reused {
		if err := c.check(); err != nil {
			return c.failed(err)
		}
	}
	c.lenient = true
	c.setPatience(max(vanished, c.home.opts.Response))
	err := c.write(head)
	if err != nil && c.fill() != nil { // the answer may be there although the request was not taken
		return c.failed(err)
	}
	return nil
}

// check returns ErrStale when a kept connection has something to say.
func (c *Conn) check() (err error) {
	if c.tls != nil {
		return c.tls.check()
	}
	if err := c.raw.Control(func(fd uintptr) { err = probe(int(fd), c.in[:1]) }); err != nil {
		return err // interrupted
	}
	return err
}

// Write writes a part of the request while ReadHead may run. Its error is a
// *ResultError.
func (c *Conn) Write(p []byte) error {
	if err := c.write(p); err != nil {
		return &ResultError{Kind: kindOf(err), Addr: c.home.addr, Err: err}
	}
	return nil
}

func (c *Conn) write(p []byte) error {
	c.press(time.Now().Add(c.home.opts.Response))
	var err error
	if c.tls != nil {
		_, err = c.tls.conn.Write(p)
	} else {
		_, err = c.tcp.Write(p)
	}
	return c.note(err)
}

// press gives what is written until then.
func (c *Conn) press(until time.Time) {
	c.pressed = true
	c.tcp.SetWriteDeadline(until) //nolint:errcheck // the write fails if this does
}

// Sent says that the request was written to its end.
func (c *Conn) Sent() { c.sent = true }
