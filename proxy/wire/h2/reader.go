package h2

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// preface is what a client begins with (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// inSize is what is read at a time: a whole TLS record, and the longest frame.
const inSize = 17 << 10

// input is what was read and not used yet: in[r:w].
type input struct {
	in    *[inSize]byte // nil while nothing is there
	r, w  int
	first [1]byte
	armed time.Time // the read deadline in force
	begun time.Time // when a frame or field block began that is not whole
}

var inputs = sync.Pool{New: func() any { return new([inSize]byte) }}

func (i *input) borrowIn() {
	if i.in == nil {
		i.in, i.r, i.w = inputs.Get().(*[inSize]byte), 0, 0
	}
}

func (i *input) dropIn() {
	if i.in != nil {
		inputs.Put(i.in)
		i.in = nil
	}
}

// moveIn moves what was not used to the front; without any, the buffer is given back.
func (i *input) moveIn() {
	switch {
	case i.r == i.w:
		i.dropIn()
		i.r, i.w = 0, 0
	case i.r > 0:
		i.w = copy(i.in[:], i.in[i.r:i.w])
		i.r = 0
	}
}

// readIn reads once. Who waits with nothing in hand waits for one byte, without a
// buffer; what else is in its TLS record follows at once.
func (c *Conn) readIn() (n int, err error) {
	if c.in != nil {
		n, err = c.nc.Read(c.in[c.w:])
		c.w += n
		return n, err
	}
	if n, err = c.nc.Read(c.first[:]); n == 0 {
		return 0, err
	}
	c.borrowIn()
	c.in[0], c.w = c.first[0], 1
	if !c.data.on || c.data.left+c.data.pad > 1 { // behind the last byte of DATA nothing need follow
		n, _ = c.nc.Read(c.in[1:]) //nolint:errcheck // it comes again with the next read
		c.w += n
	}
	return c.w, nil
}

// arm sets the read deadline.
func (c *Conn) arm(t time.Time) {
	c.armed = t
	c.nc.SetReadDeadline(t) //nolint:errcheck // a closed connection fails at the read that follows
}

// deadlineSlack is how late a deadline may be, so that one that moves with each
// read need not be set with each read.
const deadlineSlack = 250 * time.Millisecond

// Serve reads until the connection is over or, with ErrIdle, nothing has come for
// about the time awake and no stream is open: then Serve may be called again. Any
// other error is final; streams may still be at work, see Wait. io.EOF is the end
// that the client chose.
func (c *Conn) Serve(awake time.Duration) error {
	c.armed = time.Time{}
	for {
		err := c.frames()
		c.handOut()
		if err == nil {
			err = c.step(time.Now())
		}
		if err == nil {
			err = c.fill(awake)
		}
		if err == ErrIdle {
			return err
		}
		if err != nil {
			c.end(err)
			return err
		}
	}
}

// fill reads once, and sees to what falls due while nothing comes.
func (c *Conn) fill(awake time.Duration) error {
	c.moveIn()
	quiet := time.Now().Add(awake)
	for {
		now := time.Now()
		if !now.Before(quiet) {
			quiet = now.Add(awake) // something is under way
		}
		due := c.nextDue(now, quiet)
		if c.armed.IsZero() || c.armed.After(due.Add(deadlineSlack)) {
			c.arm(due)
			if c.isUntaken() { // whoever found out may have moved the deadline before this one did
				return ErrUnwritten
			}
		}
		if c.mustLeave() && c.leaving == staying {
			return nil // somebody moved the deadline, perhaps before this one did
		}
		n, err := c.readIn()
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		c.armed = time.Time{}
		if done, err := c.struck(time.Now(), due); done || err != nil {
			return err
		}
	}
}

// frames takes all frames that are there whole, and the parts of DATA.
func (c *Conn) frames() error {
	if c.in == nil {
		return nil
	}
	if !c.greeted {
		if whole, err := c.greet(); !whole || err != nil {
			return err
		}
	}
	for {
		if c.data.on {
			if whole, err := c.takeData(); !whole || err != nil {
				return err
			}
			continue
		}
		if c.w-c.r < headSize {
			return nil
		}
		f := parseFrame(c.in[c.r:])
		if err := c.admits(f); err != nil {
			return err
		}
		need := headSize + f.length
		if f.kind == frameData {
			need = headSize + min(f.length, 1) // its padding, perhaps
		}
		if c.w-c.r < need {
			return nil
		}
		payload := c.in[c.r+headSize : c.r+need]
		c.r += need
		if err := c.take(f, payload); err != nil {
			return err
		}
		if c.block.stream == 0 { // its time runs from the first frame on
			c.begun = time.Time{}
		}
	}
}

// greet takes the preface. Bytes that are none end the connection at once.
func (c *Conn) greet() (whole bool, err error) {
	n := min(c.w-c.r, len(preface))
	if string(c.in[c.r:c.r+n]) != preface[:n] {
		return false, broken(ProtocolError, "no preface")
	}
	if n < len(preface) {
		return false, nil
	}
	c.r += n
	c.greeted, c.begun = true, time.Time{}
	return true, nil
}

// admits refuses frames that may not come now, by their heads.
func (c *Conn) admits(f frame) error {
	switch {
	case f.length > maxFrame:
		return broken(FrameSizeError, "a frame over SETTINGS_MAX_FRAME_SIZE")
	case !c.settled && (f.kind != frameSettings || f.has(flagAck)):
		return broken(ProtocolError, "a preface without SETTINGS")
	case c.block.stream != 0 && (f.kind != frameContinuation || f.stream != c.block.stream):
		return broken(ProtocolError, "a frame within a field block")
	}
	return nil
}

// take takes one frame; of DATA only the head and its first byte are there.
func (c *Conn) take(f frame, payload []byte) error {
	switch f.kind {
	case frameData:
		return c.startData(f, payload)
	case frameHeaders:
		return c.headers(f, payload)
	case frameContinuation:
		return c.continuation(f, payload)
	case framePriority:
		return c.priority(f, payload)
	case frameReset:
		return c.resetBy(f, payload)
	case frameSettings:
		c.settled = true
		return c.settings(f, payload)
	case framePush:
		return broken(ProtocolError, "PUSH_PROMISE from a client")
	case framePing:
		return c.ping(f, payload)
	case frameGoAway:
		return c.goAway(f)
	case frameWindowUpdate:
		return c.windowUpdate(f, payload)
	}
	return c.blame(costFrame) // RFC 9113 section 5.5: unknown types are ignored
}

// handOut has the streams served whose requests were read. That waits for the end of
// what was read together, so that they start together.
func (c *Conn) handOut() {
	for i, s := range c.ready {
		c.ready[i] = nil
		c.handler.Serve(s)
	}
	c.ready = c.ready[:0]
	c.settle()
}

// end says good-bye after the last read. A client that only closed its side gets the
// answers that are under way.
func (c *Conn) end(err error) {
	c.abandonPartial()
	c.handOut()
	if errors.Is(err, io.EOF) {
		c.hush()
		c.Wait()
	}
	c.close(err)
	c.dropIn()
}

// hush ends the wait for windows.
func (c *Conn) hush() {
	c.mu.Lock()
	c.hushed = true
	c.wakeAllLocked()
	c.mu.Unlock()
}
