package syslog

import (
	"bytes"
	"strconv"
	"time"
)

// send sends lines until then.
func (s *Syslog) send(p []byte, now, until time.Time) (int, error) {
	s.conn.SetWriteDeadline(until) //nolint:errcheck // the write fails if this does
	if s.stream {
		return s.sendTogether(p, now)
	}
	return s.sendEach(p, now)
}

// sendEach sends each line as a datagram.
func (s *Syslog) sendEach(p []byte, now time.Time) (n int, err error) {
	for n < len(p) {
		line, whole := first(p[n:])
		s.message = s.writer.append(s.message[:0], line, now)
		if _, err := s.conn.Write(s.message); err != nil {
			return n, err
		}
		n += whole
	}
	return n, nil
}

// sendTogether sends all lines in one write. A message of which only a part was sent
// is thrown away by its reader, with the connection.
func (s *Syslog) sendTogether(p []byte, now time.Time) (n int, err error) {
	s.batch, s.ends = s.batch[:0], s.ends[:0]
	for rest := p; len(rest) > 0; {
		line, whole := first(rest)
		s.batch = s.appendFramed(s.batch, line, now)
		s.ends = append(s.ends, len(s.batch))
		rest = rest[whole:]
	}
	sent, err := s.conn.Write(s.batch)
	for _, end := range s.ends {
		if end > sent {
			break
		}
		_, whole := first(p[n:])
		n += whole
	}
	return n, err
}

// appendFramed appends the message of a line as it stands in a stream.
func (s *Syslog) appendFramed(b, line []byte, now time.Time) []byte {
	if s.writer.local {
		return append(s.writer.append(b, line, now), '\n')
	}
	s.message = s.writer.append(s.message[:0], line, now)
	b = append(strconv.AppendInt(b, int64(len(s.message)), 10), ' ')
	return append(b, s.message...)
}

// first returns the first line of p without its line feed, and how long it is with it.
func first(p []byte) (line []byte, whole int) {
	line, _, found := bytes.Cut(p, []byte{'\n'})
	if !found {
		return line, len(line)
	}
	return line, len(line) + 1
}
