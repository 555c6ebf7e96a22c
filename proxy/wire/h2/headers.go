package h2

import (
	"io"

	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

// block is a field block that is not whole (RFC 9113 section 4.3).
type block struct {
	stream    uint32 // 0 for none
	endStream bool
	dependent bool // it depends on itself
	full      bool // its latest frame could not have been longer
	bytes     []byte
}

// headers takes a HEADERS frame: it opens a stream or ends one with trailers.
func (c *Conn) headers(f frame, payload []byte) error {
	if f.stream == 0 || f.stream%2 == 0 {
		return broken(ProtocolError, "HEADERS on a stream that no client can open")
	}
	fragment, ok := f.unpad(payload)
	if !ok {
		return broken(ProtocolError, "more padding than frame")
	}
	dependent := false
	if f.has(flagPriority) {
		if len(fragment) < 5 {
			return broken(FrameSizeError, "HEADERS too short for their priority")
		}
		dependent = dependsOnItself(f.stream, fragment)
		fragment = fragment[5:]
	}
	b := block{stream: f.stream, endStream: f.has(flagEndStream), dependent: dependent}
	if f.has(flagEndHeaders) {
		b.bytes = fragment
		return c.wholeBlock(b)
	}
	b.bytes, b.full = append([]byte(nil), fragment...), f.length == maxFrame
	c.block = b
	return nil
}

// continuation goes on with a field block. A block is bounded by what it may decode
// to, as nothing encodes to more bytes than it has (CVE-2024-27316).
func (c *Conn) continuation(f frame, payload []byte) error {
	if c.block.stream == 0 {
		return broken(ProtocolError, "CONTINUATION of nothing")
	}
	if err := c.blameContinuation(len(payload)); err != nil {
		return err
	}
	if len(c.block.bytes)+len(payload) > c.config.Limits.Head {
		return broken(EnhanceYourCalm, "a field block over the limit")
	}
	c.block.bytes = append(c.block.bytes, payload...)
	c.block.full = len(payload) == maxFrame
	if !f.has(flagEndHeaders) {
		return nil
	}
	b := c.block
	c.block = block{}
	return c.wholeBlock(b)
}

// blameContinuation charges for a CONTINUATION that no field block needs: a large one
// fills its frames.
func (c *Conn) blameContinuation(n int) error {
	switch {
	case n == 0:
		return c.blame(costEmpty)
	case c.block.full, n >= fairFragment:
		return nil
	}
	return c.blame(costContinuation)
}

// wholeBlock takes a field block: of a new stream, of trailers, or for nobody.
func (c *Conn) wholeBlock(b block) error {
	if b.stream <= c.last {
		return c.laterBlock(b)
	}
	c.last = b.stream
	if c.leaving == refusing {
		if err := c.skipBlock(b.bytes); err != nil {
			return err
		}
		return c.blame(costFrame)
	}
	c.total++
	if c.total >= c.config.Total {
		c.leave.Store(true)
	}
	return c.openStream(b)
}

// openStream opens a stream, if there may be one more.
func (c *Conn) openStream(b block) error {
	c.mu.Lock()
	room := c.open < c.config.Streams
	c.mu.Unlock()
	if !room || b.dependent {
		if err := c.skipBlock(b.bytes); err != nil {
			return err
		}
		if b.dependent {
			return c.streamError(b.stream, ProtocolError)
		}
		return c.refuseStream(b.stream)
	}
	s := newStream(c, b.stream)
	if err := c.decodeHead(s, b); err != nil {
		s.recycle()
		return err
	}
	c.enter(s, b.endStream)
	return c.judge(s)
}

// refuseStream refuses a stream that is one too many (RFC 9113 section 5.1.2). A client
// that has not seen our SETTINGS cannot know how many there may be.
func (c *Conn) refuseStream(id uint32) error {
	if c.agreed {
		return c.streamError(id, RefusedStream)
	}
	c.reset(id, RefusedStream)
	return c.blame(costFrame)
}

// enter puts a stream with its head into the table.
func (c *Conn) enter(s *Stream, whole bool) {
	c.mu.Lock()
	s.window = c.initial
	c.streams = append(c.streams, s)
	c.open++
	c.working++
	c.abuse.updates += 2
	s.whole, s.over, s.counted = whole, whole, true
	c.mu.Unlock()
	c.partial++
}

// laterBlock takes a block for a stream that was opened before: trailers, if its body
// has not ended.
func (c *Conn) laterBlock(b block) error {
	c.mu.Lock()
	s := c.find(b.stream)
	open, how := s != nil && !s.over && !s.tunnel, c.closed.find(b.stream)
	c.mu.Unlock()
	if open {
		return c.trailers(b)
	}
	if err := c.skipBlock(b.bytes); err != nil {
		return err
	}
	switch {
	case s != nil && s.tunnel && !s.over: // RFC 9113 section 8.5
		return c.streamError(b.stream, ProtocolError)
	case s != nil:
		return c.streamError(b.stream, StreamClosed)
	case how == byUs:
		return c.blame(costFrame)
	case how == unknown:
		return broken(ProtocolError, "a stream with a number below an earlier one")
	}
	return broken(StreamClosed, "HEADERS on a stream that was closed")
}

// trailers takes the fields behind a body (RFC 9113 section 8.1). They are kept apart
// from the head's, and only those without a meaning are passed on.
func (c *Conn) trailers(b block) error {
	fields, ok, err := c.decodeTrailers(b.bytes)
	if err != nil {
		return err
	}
	mistake := false
	c.mu.Lock()
	s := c.find(b.stream)
	if s != nil {
		fault := s.short()
		if !ok || !b.endStream || b.dependent {
			fault = errTrailers
		}
		if !s.whole {
			s.trailing = fields
		}
		mistake = s.endByClientLocked(fault)
	}
	s = s.unhanded()
	c.mu.Unlock()
	if mistake {
		return c.blame(costReset)
	}
	return c.judge(s)
}

// decodeTrailers decodes a block of trailers; ok is false when they are malformed or
// over the limits. Only what is passed on is kept.
func (c *Conn) decodeTrailers(b []byte) (fields wire.Fields, ok bool, err error) {
	var scratch []byte
	var f hpack.Field
	size, count := 0, 0
	c.fields.Begin(b)
	for ok = true; ; {
		scratch, err = c.fields.Next(&f, scratch[:0])
		if err == io.EOF {
			return fields, ok, nil
		}
		if err != nil {
			return fields, false, undecodable(err)
		}
		size += f.Size()
		count++
		ok = ok && count <= c.config.Limits.Fields && size <= c.config.Limits.Head && addTrailer(&fields, &f)
	}
}

// undecodable ends a connection whose client's table is lost, or whose blocks are made to
// grow.
func undecodable(err error) error {
	if err == hpack.ErrSize {
		return broken(EnhanceYourCalm, err.Error())
	}
	return broken(CompressionError, err.Error())
}

// skipBlock decodes a block that is for nobody: the table of the decoder must see it.
func (c *Conn) skipBlock(b []byte) error {
	var scratch []byte
	c.fields.Begin(b)
	for {
		var f hpack.Field
		grown, err := c.fields.Next(&f, scratch[:0])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return undecodable(err)
		}
		scratch = grown
	}
}
