package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Limits bound a message.
type Limits struct {
	Head   int   // bytes of start line and fields
	Target int   // bytes of the request target
	Fields int   // how many
	Body   int64 // bytes of a request's body
}

// Scanner finds the end of a head in a buffer that grows. It looks at every
// byte once, however the bytes come. The zero value is ready.
type Scanner struct {
	line int // where the current line begins
	seen int // up to where there is no line feed in it
}

// Scan returns the length of the head in buf, its closing empty line included.
// It returns wire.ErrShort while the head may still be completed and a
// *wire.Error when it cannot. The next call must be given the same bytes and
// more.
func (s *Scanner) Scan(buf []byte, lim Limits) (int, error) {
	for {
		i := bytes.IndexByte(buf[s.seen:], '\n')
		if i < 0 {
			s.seen = len(buf)
			return 0, s.short(len(buf), lim)
		}
		end := s.seen + i
		if end == s.line || buf[end-1] != '\r' {
			return 0, malformed("a line that does not end in CR LF")
		}
		empty := end == s.line+1 && s.line > 0
		s.line, s.seen = end+1, end+1
		if s.line > lim.Head {
			return 0, s.short(s.line, lim)
		}
		if empty {
			return s.line, nil
		}
	}
}

// short says whether a head of which n bytes are there may go on.
func (s *Scanner) short(n int, lim Limits) error {
	switch {
	case s.line == 0 && n > lim.Target+64:
		return &errTarget
	case n > lim.Head:
		return &errHead
	}
	return wire.ErrShort
}

// Errors that say nothing of the message they came from are made once.
var (
	errTarget = wire.Error{Reason: reason.TargetTooLong, What: "the request target is over the limit"}
	errHead   = wire.Error{Reason: reason.HeadTooLarge, What: "the head is over the limit"}
	errFields = wire.Error{Reason: reason.HeadTooLarge, What: "there are more fields than the limit"}
	errBody   = wire.Error{Reason: reason.BodyTooLarge, What: "the body is over the limit"}
)

func malformed(what string) error { return &wire.Error{Reason: reason.Malformed, What: what} }
