package h2

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

// buffer holds frames on their way out.
type buffer struct{ b []byte }

const (
	outSize    = 4 << 10
	outKept    = 64 << 10  // a buffer that grew beyond is left to the collector
	outFull    = 64 << 10  // from here on DATA waits
	outControl = 256 << 10 // from here on the reader waits: what it answers is bounded (CVE-2019-9512)
)

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, outSize)} }}

// outLocked returns where frames are appended.
func (c *Conn) outLocked() *buffer {
	if c.out == nil {
		c.out = buffers.Get().(*buffer)
	}
	return c.out
}

func (o *buffer) drop() {
	if cap(o.b) <= outKept {
		o.b = o.b[:0]
		buffers.Put(o)
	}
}

// control appends frames of the reader. They leave at the latest when what was read has
// been seen to.
func (c *Conn) control(frames []byte) {
	c.mu.Lock()
	c.controlLocked(frames)
	c.mu.Unlock()
}

func (c *Conn) controlLocked(frames []byte) {
	if c.dead == nil {
		o := c.outLocked()
		o.b = append(o.b, frames...)
	}
}

// settle sees to it that what the reader has appended is written, by somebody else: it
// must go on reading when the client does not (a client may write until it is read). But
// one that lets our answers pile up is not read any more.
func (c *Conn) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.askFlushLocked()
	for c.out != nil && len(c.out.b) > outControl && c.dead == nil && !c.failed {
		c.waitFlushLocked()
		c.askFlushLocked()
	}
}

// askFlushLocked has what there is written by another goroutine.
func (c *Conn) askFlushLocked() {
	if c.out != nil && !c.flushing && !c.asked {
		c.asked = true
		c.handler.Flush()
	}
}

// waitFlushLocked waits for the end of the flush that runs or was asked for.
func (c *Conn) waitFlushLocked() {
	if !c.flushing && !c.asked {
		return
	}
	if c.written == nil {
		c.written = make(chan struct{})
	}
	written := c.written
	c.mu.Unlock()
	<-written
	c.mu.Lock()
}

// Flush writes what there is. It is called when the Handler was asked to.
func (c *Conn) Flush() {
	c.mu.Lock()
	c.asked = false
	c.flushLocked()
	c.tellWrittenLocked()
	c.mu.Unlock()
}

// flushLocked writes what there is, unless somebody else does: whoever writes goes on
// until nothing is left. When other streams are at work it lets those go first that can
// run: their answers leave in the same TLS record.
func (c *Conn) flushLocked() {
	if c.flushing || c.out == nil || c.failed {
		return
	}
	c.flushing = true
	defer c.flushedLocked()
	if c.open > 0 {
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	for c.out != nil && !c.failed {
		o := c.out
		c.out = nil
		c.armWriteLocked()
		if err := c.writeLocked(o.b); err != nil {
			c.failLocked(err)
		}
		o.drop()
		c.makeRoomLocked()
	}
}

// flushedLocked ends a flush, also one in which something has panicked.
func (c *Conn) flushedLocked() {
	c.flushing = false
	c.tellWrittenLocked()
}

// writeLocked writes without the lock, which is held again afterwards whatever happens.
func (c *Conn) writeLocked(p []byte) error {
	c.mu.Unlock()
	defer c.mu.Lock()
	_, err := c.nc.Write(p)
	return err
}

// makeRoomLocked wakes those that wait for room in out.
func (c *Conn) makeRoomLocked() {
	if c.crowded {
		c.crowded = false
		c.wakeAllLocked()
	}
}

func (c *Conn) wakeAllLocked() {
	for _, s := range c.streams {
		s.wake()
	}
}

func (c *Conn) tellWrittenLocked() {
	if c.written != nil && !c.flushing && !c.asked {
		close(c.written)
		c.written = nil
	}
}

// failLocked notes that nothing can be written any more. The reader is told of a client
// that takes nothing. One that has gone may have left events behind: they are read, up to
// the end that tells of itself.
func (c *Conn) failLocked(err error) {
	c.failed = true
	c.dieLocked(ErrUnwritten)
	if c.untaken = errors.Is(err, os.ErrDeadlineExceeded); c.untaken {
		c.nc.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection fails at the next read
	}
}

// dieLocked ends the answers that are under way.
func (c *Conn) dieLocked(err error) {
	if c.dead == nil {
		c.dead = err
	}
	c.wakeAllLocked()
}

// writeSlack is how late a write deadline may be, at most.
const writeSlack = time.Second

// armWriteLocked sets the write deadline, which moves only when it is near, and not when
// the last frames leave.
func (c *Conn) armWriteLocked() {
	now := time.Now()
	if c.dead == nil && c.wArmed.Sub(now) < c.config.Write {
		c.wArmed = now.Add(c.config.Write + min(c.config.Write/4, writeSlack))
		c.nc.SetWriteDeadline(c.wArmed) //nolint:errcheck // a closed connection fails at the write that follows
	}
}

// partingTime is how long the last frames may take.
const partingTime = time.Second

// close says good-bye, if somebody is there to hear it and was not told, and ends all
// answers.
func (c *Conn) close(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code, due := c.parting(err); due && c.dead == nil {
		o := c.outLocked()
		o.b = appendGoAway(o.b, c.served, code)
	}
	c.dieLocked(err)
	c.nc.SetWriteDeadline(time.Now().Add(partingTime)) //nolint:errcheck // a closed connection fails at the write that follows
	for c.waitFlushLocked(); c.out != nil && !c.failed; c.waitFlushLocked() {
		c.flushLocked()
	}
}

// parting returns the code of the last GOAWAY; it is not due when the client has gone
// or knows already.
func (c *Conn) parting(err error) (code Code, due bool) {
	told := c.leaving == refusing
	if !told {
		c.served = c.last
	}
	var mistake *Error
	if errors.As(err, &mistake) {
		return mistake.Code, true
	}
	return NoError, !told && !errors.Is(err, io.EOF)
}

// appendBlockLocked appends a field block as HEADERS and as many CONTINUATIONs as it
// takes.
func (c *Conn) appendBlockLocked(stream uint32, block []byte, endStream bool) {
	o := c.outLocked()
	f := frame{kind: frameHeaders, stream: stream}
	if endStream {
		f.flags = flagEndStream
	}
	for {
		part := block[:min(len(block), maxFrame)]
		block = block[len(part):]
		if len(block) == 0 {
			f.flags |= flagEndHeaders
		}
		f.length = len(part)
		o.b = append(appendFrame(o.b, f), part...)
		if len(block) == 0 {
			return
		}
		f.kind, f.flags = frameContinuation, 0
	}
}

// beginBlockLocked begins the first field block of the connection with word that our
// encoder uses no table, whatever the client has room for (RFC 7541 section 4.2).
func (c *Conn) beginBlockLocked(stream uint32, block []byte, endStream bool) {
	if !c.tabled {
		c.tabled = true
		block = append(hpack.AppendTableSize(make([]byte, 0, len(block)+1), 0), block...)
	}
	c.appendBlockLocked(stream, block, endStream)
}
