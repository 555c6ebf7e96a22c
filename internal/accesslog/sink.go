package accesslog

import (
	"bytes"
	"fmt"
	"io"
)

// sink is the output and what is known of it. One goroutine at a time has it.
type sink struct {
	out     io.Writer
	notify  func(error)
	torn    bool // the last line that was written has no end
	failing bool
}

// write returns how many of the lines in p were lost.
func (s *sink) write(p []byte) (lost int) {
	if len(p) == 0 {
		return 0
	}
	n, err := s.writeWhole(p)
	s.tell(err)
	return bytes.Count(p[n:], []byte{'\n'})
}

// writeWhole ends a torn line before it writes p, so that a disk that was full
// for a moment spoils one line and not two.
func (s *sink) writeWhole(p []byte) (int, error) {
	if s.torn {
		if _, err := s.put([]byte{'\n'}); err != nil {
			return 0, err
		}
	}
	n, err := s.put(p)
	s.torn = n > 0 && p[n-1] != '\n'
	return n, err
}

// replace changes the output. A torn line is ended if that is possible by now: the old
// output may be read on, or be the new one under another descriptor. A failure is over
// when the new one has taken a line.
func (s *sink) replace(out io.Writer) {
	if s.torn {
		s.put([]byte{'\n'}) //nolint:errcheck // nothing more can be done for it
	}
	s.out, s.torn = out, false
}

// put is Write for outputs that forget the error of a short write.
func (s *sink) put(p []byte) (int, error) {
	n, err := s.out.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// tell reports changes only: a full disk is one message, not five a second.
func (s *sink) tell(err error) {
	if failing := err != nil; failing == s.failing || s.notify == nil {
		s.failing = failing
		return
	}
	s.failing = err != nil
	if err != nil {
		err = fmt.Errorf("access log: %w", err)
	}
	s.notify(err)
}
