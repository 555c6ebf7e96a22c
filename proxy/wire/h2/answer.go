package h2

import (
	"strconv"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

// answer is the writing side of a stream.
type answer struct {
	head      []byte   // field block of the final answer, or of trailers
	status    int      // 0 until it is started
	length    int64    // of the body, or wire.Unknown
	digits    [20]byte // of it
	sent      int64    // bytes of it
	given     int64    // those that the client's windows let go
	bodyless  bool
	headed    bool          // the head was appended
	ended     bool          // the answer has been
	continued bool          // 100 was said, or there is no need for it
	stalled   time.Duration // for the client to take it
	stuck     time.Duration // since it took anything
}

func (a *answer) begin() { *a = answer{head: a.head[:0]} }

// ErrUnwritten ends a connection whose client does not take what is written.
var ErrUnwritten = &wire.Error{Reason: reason.ClientClosed, What: "the client does not take what is written"}

// Inform implements wire.Stream. fields may be nil.
func (s *Stream) Inform(status int, fields *wire.Fields) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if err := s.goneLocked(); err != nil {
		return err
	}
	s.continued = s.continued || status == 100
	s.informLocked(status, fields)
	s.conn.flushLocked()
	return nil
}

func (s *Stream) informLocked(status int, fields *wire.Fields) {
	s.head = appendFields(hpack.AppendStatus(s.head[:0], status), fields)
	s.conn.beginBlockLocked(s.id, s.head, false)
}

// appendFields appends those fields that are not gone; fields may be nil.
func appendFields(dst []byte, fields *wire.Fields) []byte {
	if fields == nil {
		return dst
	}
	for i := range fields.All() {
		if f := &fields.All()[i]; !f.Gone {
			dst = hpack.AppendField(dst, f.ID, f.Name, f.Value)
		}
	}
	return dst
}

// Last implements wire.Stream. The connection asks its client itself when it is left.
func (s *Stream) Last() {}

// Start implements wire.Stream.
func (s *Stream) Start(status int) {
	s.head = hpack.AppendStatus(s.head[:0], status)
	s.status, s.length, s.sent = status, wire.Unknown, 0
	s.bodyless = !wire.HasBody(status, s.req.Method)
	s.continued = true
}

// Field implements wire.Stream.
func (s *Stream) Field(name string, value []byte) {
	s.head = hpack.AppendFieldString(s.head, name, value)
}

// Pass implements wire.Stream.
func (s *Stream) Pass(f *wire.Field) { s.head = hpack.AppendField(s.head, f.ID, f.Name, f.Value) }

// Frame implements wire.Stream. The end of the body is told by its frames; the length
// is for the client to know (RFC 9110 section 8.6).
func (s *Stream) Frame(length int64) {
	s.length = length
	if length >= 0 && s.status != 204 {
		s.head = hpack.AppendFieldString(s.head, "content-length", strconv.AppendInt(s.digits[:0], length, 10))
	}
}

// Write implements wire.Stream.
func (s *Stream) Write(p []byte) error {
	if s.bodyless {
		p = nil
	}
	s.sent += int64(len(p))
	if s.length >= 0 && s.sent > s.length && !s.bodyless {
		return wire.ErrLength
	}
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if err := s.sendLocked(p, false); err != nil {
		return err
	}
	s.conn.flushLocked()
	return nil
}

// Finish implements wire.Stream.
func (s *Stream) Finish(p []byte, trailers *wire.Fields) error {
	if s.bodyless {
		p, trailers = nil, nil
	}
	s.sent += int64(len(p))
	if !s.bodyless && s.length >= 0 && s.sent != s.length {
		return wire.ErrLength
	}
	last := !remain(trailers)
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := s.sendLocked(p, last); err != nil {
		return err
	}
	if !last {
		s.head = appendFields(s.head[:0], trailers)
		c.appendBlockLocked(s.id, s.head, true)
	}
	s.finishLocked()
	c.flushLocked()
	if c.failed {
		return ErrUnwritten
	}
	return nil
}

// remain reports whether any of the fields, which may be nil, is to be passed on.
func remain(fields *wire.Fields) bool {
	if fields == nil {
		return false
	}
	for i := range fields.All() {
		if !fields.All()[i].Gone {
			return true
		}
	}
	return false
}

// finishLocked closes the stream behind the answer's end. A request that goes on is not
// read further (RFC 9113 section 8.1), and one that is malformed is told so.
func (s *Stream) finishLocked() {
	s.ended = true
	how := whole
	switch {
	case s.malformed():
		how = byUs
		s.resetLocked(ProtocolError)
	case !s.over:
		how = byUs
		s.resetLocked(NoError)
	}
	s.conn.closed.add(s.id, how)
	s.conn.forgetLocked(s)
	s.uncountLocked()
}

// resetLocked appends RST_STREAM.
func (s *Stream) resetLocked(code Code) {
	o := s.conn.outLocked()
	o.b = appendNumber(o.b, frameReset, s.id, uint32(code))
}

// Abort implements wire.Stream.
func (s *Stream) Abort(r reason.Reason) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.ended || s.goneLocked() != nil {
		return
	}
	s.ended = true
	s.resetLocked(codeOf(r))
	c.closed.add(s.id, byUs)
	c.forgetLocked(s)
	c.flushLocked()
}

// codeOf returns the code that tells a client of r.
func codeOf(r reason.Reason) Code {
	switch r {
	case reason.ClientClosed, reason.ClientNotAllowed:
		return Cancel
	case reason.ClientTooSlow:
		return EnhanceYourCalm
	case reason.Malformed:
		return ProtocolError
	}
	return InternalError
}
