package backend

import "time"

// Streaming starts an exchange whose body follows by Write. It writes head.
// ErrStale says that nothing was written; any other error is a *ResultError.
func (c *Conn) Streaming(head []byte, now time.Time) error {
	c.start(now)
	if c.reused && !c.quiet() {
		return c.failed(ErrStale)
	}
	c.lenient = true
	c.setPatience(max(vanished, c.home.opts.Response))
	err := c.write(head)
	if err != nil && c.fill() != nil { // the answer may be there although the request was not taken
		return c.failed(err)
	}
	return nil
}

// quiet reports whether a kept connection has nothing to say.
func (c *Conn) quiet() bool {
	if c.tls != nil {
		return c.tls.quiet()
	}
	stale := ErrStale
	err := c.raw.Control(func(fd uintptr) { stale = probe(int(fd), c.in[:1]) })
	return err == nil && stale == nil
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
	c.tcp.SetWriteDeadline(time.Now().Add(c.home.opts.Response)) //nolint:errcheck // the write fails if this does
	var err error
	if c.tls != nil {
		_, err = c.tls.conn.Write(p)
	} else {
		_, err = c.tcp.Write(p)
	}
	return c.note(err)
}

// Sent says that the request was written to its end.
func (c *Conn) Sent() { c.sent = true }
