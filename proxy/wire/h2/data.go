package h2

import (
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
)

// data is a DATA frame that is being read. Its stream may end meanwhile, so it is
// looked up for each part.
type data struct {
	on        bool
	stream    uint32
	left      int // bytes of data
	pad       int // bytes of padding behind them
	endStream bool
}

// startData takes the head of a DATA frame and its first byte, if it has one (RFC 9113
// section 6.1).
func (c *Conn) startData(f frame, first []byte) error {
	if f.stream == 0 || c.isIdle(f.stream) {
		return broken(ProtocolError, "DATA on a stream that was not opened")
	}
	if c.credit -= int64(f.length); c.credit < 0 {
		return broken(FlowControlError, "DATA beyond the window of the connection")
	}
	c.owed += int64(f.length)
	d := data{on: true, stream: f.stream, left: f.length, endStream: f.has(flagEndStream)}
	if f.has(flagPadded) {
		if f.length == 0 || int(first[0]) >= f.length {
			return broken(ProtocolError, "more padding than frame")
		}
		d.pad = int(first[0])
		d.left -= 1 + d.pad
	} else {
		c.r -= len(first) // it is data
	}
	c.data = d
	c.mu.Lock()
	cost := d.cost(c.find(d.stream))
	c.mu.Unlock()
	if cost > 0 {
		if err := c.blame(cost); err != nil {
			return err
		}
	}
	return c.admitData(f.stream, f.length, d.left)
}

// cost is the price of a frame that is hardly worth its head. s is its stream, or nil.
// Messages of websockets are short, and one stream ends once.
func (d *data) cost(s *Stream) int {
	switch {
	case d.endStream && s != nil && !s.over:
		return 0
	case d.endStream:
		return costFrame
	case d.left == 0:
		return costEmpty
	case d.left < tinyData && (s == nil || !s.tunnel):
		return costTiny
	}
	return 0
}

// admitData takes the length of a frame off its stream's window and refuses what may
// not come. Streams that are not remembered may have been refused with all of their body
// on its way: that is no mistake of the client.
func (c *Conn) admitData(id uint32, length, n int) error {
	c.mu.Lock()
	s, how, code, mistake := c.find(id), unknown, NoError, false
	if s == nil {
		how = c.closed.find(id)
	}
	switch {
	case s == nil && how == byUs, s != nil && s.fault != nil: // nobody wants it any more
	case s == nil || s.whole:
		code = StreamClosed
	default:
		code = s.admitLocked(length, n)
		mistake = s.handed && s.malformed()
	}
	c.mu.Unlock()
	switch {
	case s == nil && code != NoError && how == unknown:
		c.reset(id, code)
	case code != NoError:
		return c.streamError(id, code)
	case mistake:
		return c.blame(costReset)
	}
	return nil
}

// admitLocked counts a frame of a stream with n bytes of data.
func (s *Stream) admitLocked(length, n int) Code {
	s.got += int64(n)
	if s.credit -= int64(length); s.credit < 0 {
		return FlowControlError
	}
	s.repayPaddingLocked(length - n)
	switch {
	case s.req.Length != wire.Unknown && s.got > s.req.Length:
		s.endLocked(errSurplus)
	case s.got > s.conn.config.Limits.Body && !s.tunnel:
		s.endLocked(wire.ErrBody)
	}
	return NoError
}

// takeData passes on what has come of the frame. whole says that it was the last of it.
func (c *Conn) takeData() (whole bool, err error) {
	d := &c.data
	n := min(d.left, c.w-c.r)
	mistake := false
	c.mu.Lock()
	s := c.find(d.stream)
	if s != nil && !s.whole && s.fault == nil && n > 0 { // else it was not admitted
		s.putLocked(c.in[c.r : c.r+n])
	}
	c.r += n
	d.left -= n
	if d.left == 0 {
		skip := min(d.pad, c.w-c.r)
		c.r += skip
		d.pad -= skip
	}
	whole = d.left == 0 && d.pad == 0
	if whole && d.endStream && s != nil {
		mistake = s.endByClientLocked(s.short())
	}
	s = s.unhanded()
	c.mu.Unlock()
	if whole {
		d.on, c.begun = false, time.Time{}
		c.repay()
	}
	if mistake {
		return whole, c.blame(costReset)
	}
	return whole, c.judge(s)
}

// repay gives back the window of the connection. It bounds what is on its way; how
// much is kept is bounded by the windows of the streams.
func (c *Conn) repay() {
	if c.owed < connWindow/2 {
		return
	}
	c.control(appendNumber(make([]byte, 0, 16), frameWindowUpdate, 0, uint32(c.owed)))
	c.credit += c.owed
	c.owed = 0
}

// judge hands a stream out when it is worth a goroutine: when the request is whole, or
// will never be, or the body is too large to be held. Until then a slow client costs
// no more than its bytes. s was not handed out, or is nil.
func (c *Conn) judge(s *Stream) error {
	if s == nil {
		return nil
	}
	if s.whole || s.fault != nil || s.req.Expects || s.tunnel || len(s.held) >= wire.MaxHold || s.req.Length > wire.MaxHold {
		c.handOver(s)
	}
	if s.fault != nil && s.malformed() {
		return c.blame(costReset)
	}
	return nil
}

// unhanded returns s, if the reader still owns it.
func (s *Stream) unhanded() *Stream {
	if s == nil || s.handed {
		return nil
	}
	return s
}

// handOver has a stream served after what is there was read.
func (c *Conn) handOver(s *Stream) {
	s.handed = true
	c.partial--
	c.ready = append(c.ready, s)
}

// hurry ends the wait for requests that are overdue.
func (c *Conn) hurry(now time.Time) {
	for _, s := range c.waiting() {
		if !now.Before(s.due()) {
			c.stop(s, errSlow)
		}
	}
}

// abandonPartial ends the wait for all requests that are not whole: nothing more will
// be read.
func (c *Conn) abandonPartial() {
	for _, s := range c.waiting() {
		c.stop(s, errGone)
	}
	c.mu.Lock()
	for _, s := range c.streams {
		if !s.whole {
			s.endLocked(errGone)
		}
	}
	c.mu.Unlock()
}

func (c *Conn) stop(s *Stream, err error) {
	c.mu.Lock()
	s.endLocked(err)
	c.mu.Unlock()
	c.handOver(s)
}

// waiting returns the streams that were not handed out.
func (c *Conn) waiting() (list []*Stream) {
	if c.partial == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		if !s.handed {
			list = append(list, s)
		}
	}
	return list
}
