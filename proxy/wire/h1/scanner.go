package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Scanner finds the end of a head in a buffer that grows. It looks at every
// byte once, however the bytes come. The zero value is ready.
type Scanner struct {
	line int // where the current line begins
	seen int // up to where there is no line feed in it
}

// Scan returns the length of the head in buf, its closing empty line included.
// It returns wire.ErrShort while the head may still be completed and a
// *wire.Error when it cannot: the same one, however the bytes come. The next
// call must be given the same bytes and more.
func (s *Scanner) Scan(buf []byte, lim wire.Limits) (int, error) {
	for {
		end, found := len(buf), false
		if i := bytes.IndexByte(buf[s.seen:], '\n'); i >= 0 {
			end, found = s.seen+i, true
		}
		if err := s.over(end, lim); err != nil {
			return 0, err
		}
		if !found {
			s.seen = end
			return 0, wire.ErrShort
		}
		if done, err := s.endLine(buf, end, lim); done || err != nil {
			return s.line, err
		}
	}
}

// endLine takes the line that ends at buf[end] and tells whether it was the one
// that ends the head.
func (s *Scanner) endLine(buf []byte, end int, lim wire.Limits) (done bool, err error) {
	if end == s.line || buf[end-1] != '\r' {
		return false, malformed("a line that does not end in CR LF")
	}
	first, empty := s.line == 0, end == s.line+1
	s.line, s.seen = end+1, end+1
	switch {
	case s.line > lim.Head:
		return false, wire.ErrHead
	case first && empty:
		return false, malformed("an empty line before the start line")
	}
	return empty, nil
}

// over says whether n bytes without the end of the line are too many. A target
// may be that long, and what stands beside it in a request line.
func (s *Scanner) over(n int, lim wire.Limits) error {
	switch line := lim.Target + 64; {
	case s.line == 0 && n > line && line <= lim.Head:
		return wire.ErrTarget
	case n > lim.Head:
		return wire.ErrHead
	}
	return nil
}

func malformed(what string) error { return &wire.Error{Reason: reason.Malformed, What: what} }
