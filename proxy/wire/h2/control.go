package h2

import (
	"encoding/binary"
	"time"
)

// ping answers a PING (RFC 9113 section 6.7).
func (c *Conn) ping(f frame, payload []byte) error {
	switch {
	case f.stream != 0:
		return broken(ProtocolError, "PING on a stream")
	case f.length != 8:
		return broken(FrameSizeError, "PING of a wrong length")
	case f.has(flagAck):
		if c.leaving == asked && string(payload) == leavePing {
			c.leaving, c.since = heard, time.Now()
		}
		return c.blame(costFrame)
	}
	b := appendFrame(make([]byte, 0, headSize+8), frame{length: 8, kind: framePing, flags: flagAck})
	c.control(append(b, payload...))
	return c.blame(costPing)
}

// priority looks at PRIORITY only to refuse what no client may send (RFC 9113 section
// 6.3).
func (c *Conn) priority(f frame, payload []byte) error {
	switch {
	case f.stream == 0:
		return broken(ProtocolError, "PRIORITY without a stream")
	case f.length != 5:
		return c.streamError(f.stream, FrameSizeError)
	case dependsOnItself(f.stream, payload):
		return c.streamError(f.stream, ProtocolError)
	}
	return c.blame(costFrame)
}

// dependsOnItself reports whether the five bytes of a priority name the stream that
// they are for: an error in RFC 7540 section 5.3.1, which clients were told to
// expect.
func dependsOnItself(stream uint32, priority []byte) bool {
	return binary.BigEndian.Uint32(priority)&^(1<<31) == stream
}

// goAway takes the client's GOAWAY: it sends no further request, and may have more
// answers to come (RFC 9113 section 6.8).
func (c *Conn) goAway(f frame) error {
	switch {
	case f.stream != 0:
		return broken(ProtocolError, "GOAWAY on a stream")
	case f.length < 8:
		return broken(FrameSizeError, "GOAWAY of a wrong length")
	}
	c.leave.Store(true)
	return c.blame(costFrame)
}

// windowUpdate opens a window of the client (RFC 9113 section 6.9).
func (c *Conn) windowUpdate(f frame, payload []byte) error {
	if f.length != 4 {
		return broken(FrameSizeError, "WINDOW_UPDATE of a wrong length")
	}
	if err := c.blameUpdate(); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(payload) &^ (1 << 31))
	if f.stream == 0 {
		return c.openWindow(n)
	}
	if c.isIdle(f.stream) {
		return broken(ProtocolError, "WINDOW_UPDATE on a stream that was not opened")
	}
	return c.openStreamWindow(f.stream, n)
}

func (c *Conn) openWindow(n int64) error {
	if n == 0 {
		return broken(ProtocolError, "WINDOW_UPDATE of nothing")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window += n; c.window > maxWindow {
		return broken(FlowControlError, "the window of the connection over its bound")
	}
	for _, s := range c.streams {
		s.wake()
	}
	return nil
}

func (c *Conn) openStreamWindow(id uint32, n int64) error {
	c.mu.Lock()
	s, code := c.find(id), NoError
	if s != nil {
		s.window += n
		s.wake()
		switch {
		case n == 0:
			code = ProtocolError
		case s.window > maxWindow:
			code = FlowControlError
		}
	}
	c.mu.Unlock()
	if code != NoError {
		return c.streamError(id, code)
	}
	return nil
}

// isIdle reports whether the client has not opened that stream, nor could have: we
// push none, so all even ones.
func (c *Conn) isIdle(id uint32) bool { return id > c.last || id%2 == 0 }

// resetBy takes the client's RST_STREAM (RFC 9113 section 6.4). An event that was sent
// whole is delivered all the same: pages reset what they asked for when they are left.
func (c *Conn) resetBy(f frame, payload []byte) error {
	switch {
	case f.stream == 0 || c.isIdle(f.stream):
		return broken(ProtocolError, "RST_STREAM on a stream that was not opened")
	case f.length != 4:
		return broken(FrameSizeError, "RST_STREAM of a wrong length")
	}
	c.dropStream(f.stream, byClient, errGone)
	return c.blame(costReset)
}

// How a connection is left.
type stage uint8

const (
	staying  stage = iota
	asked          // the client was asked to open no more streams
	heard          // it knows
	refusing       // it was told which are ignored
)

// leavePing tells by its answer that the client has seen the first GOAWAY.
const leavePing = "trackgat"

// Times of leaving: how long the client has to answer, how long streams may still come
// behind its answer, and how often the end is looked for. Clients that write on several
// goroutines, as Go's do, may answer a PING before they send the stream that they had
// opened a moment earlier.
const (
	leaveTime = time.Second
	heardTime = 50 * time.Millisecond
	lookTime  = 50 * time.Millisecond
	workTime  = 500 * time.Millisecond // while something is at work, whose end is told
)

// step goes on with leaving: GOAWAY is said twice, so that no request that was on its
// way is lost (RFC 9113 section 6.8).
func (c *Conn) step(now time.Time) error {
	switch {
	case !c.mustLeave() && c.leaving == staying:
	case c.leaving == staying:
		c.leave.Store(true)
		c.leaving, c.since = asked, now
		b := appendGoAway(make([]byte, 0, 64), 1<<31-1, NoError)
		b = appendFrame(b, frame{length: 8, kind: framePing})
		c.control(append(b, leavePing...))
		c.settle()
	case c.leaving == asked && now.Sub(c.since) > leaveTime, c.leaving == heard && now.Sub(c.since) >= heardTime:
		c.refuseFurther(NoError)
		c.settle()
	}
	if c.leaving == refusing && c.idle() {
		return ErrLeft
	}
	return nil
}

// refuseFurther tells the client which of its streams are served: none after the last
// one so far.
func (c *Conn) refuseFurther(code Code) {
	if c.leaving != refusing {
		c.leave.Store(true)
		c.leaving, c.served = refusing, c.last
		c.mu.Lock()
		c.closed.passOver(c.served)
		c.mu.Unlock()
		c.control(appendGoAway(make([]byte, 0, 32), c.served, code))
	}
}
