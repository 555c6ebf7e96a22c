package h2

import (
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// goneLocked returns why nobody waits for the answer, if so.
func (s *Stream) goneLocked() error {
	if s.reset || s.ended || s.conn.dead != nil {
		return errGone
	}
	return nil
}

// sendLocked appends the head, if that was not done, and p, a part of the body or, if
// last, the rest of it.
func (s *Stream) sendLocked(p []byte, last bool) error {
	if err := s.goneLocked(); err != nil {
		return err
	}
	c := s.conn
	if !s.headed {
		s.headed = true
		c.beginBlockLocked(s.id, s.head, last && len(p) == 0)
		if len(p) == 0 {
			return nil
		}
	}
	if len(p) == 0 && last {
		s.dataLocked(nil, flagEndStream)
	}
	for len(p) > 0 {
		n, err := s.roomLocked(len(p))
		if err != nil {
			return err
		}
		flags := uint8(0)
		if last && n == len(p) {
			flags = flagEndStream
		}
		s.dataLocked(p[:n], flags)
		p = p[n:]
	}
	return nil
}

// dataLocked appends a DATA frame, for which there is room.
func (s *Stream) dataLocked(p []byte, flags uint8) {
	c := s.conn
	o := c.outLocked()
	o.b = append(appendFrame(o.b, frame{length: len(p), kind: frameData, flags: flags, stream: s.id}), p...)
	if len(p) > 0 {
		s.given += int64(len(p))
		s.stuck = 0
	}
	s.window -= int64(len(p))
	c.window -= int64(len(p))
}

// updatesPerFrame is how many WINDOW_UPDATEs a client may send for a DATA frame: one for
// each window.
const updatesPerFrame = 2

// roomLocked waits until some of n bytes may be sent and returns how many. A client
// that does not open its windows, or by a crumb at a time, is not waited for longer than
// one that does not read.
func (s *Stream) roomLocked(n int) (int, error) {
	c := s.conn
	for {
		if err := s.goneLocked(); err != nil {
			return 0, err
		}
		may := int(min(int64(n), maxFrame, s.window, c.window))
		full := c.out != nil && len(c.out.b) >= outFull
		if may > 0 && !full {
			if may >= min(n, tinyData*16) {
				c.abuse.updates += updatesPerFrame
			}
			return may, nil
		}
		if err := s.stallLocked(full); err != nil {
			return 0, err
		}
	}
}

// stallLocked waits for a window or for room in out.
func (s *Stream) stallLocked(full bool) error {
	c := s.conn
	patience := s.patienceLocked()
	if patience <= 0 || c.hushed && !full {
		return errUnread
	}
	c.crowded = c.crowded || full
	start := time.Now()
	s.pauseLocked(&s.writing, patience)
	waited := time.Since(start)
	s.stuck += waited
	s.stalled += waited
	return nil
}

// patienceLocked returns how long the answer may wait: as long as one write since the
// client has taken anything, and altogether what it may take at the slowest rate.
func (s *Stream) patienceLocked() time.Duration {
	if s.tunnel && !s.until.IsZero() {
		return time.Until(s.until)
	}
	config := s.conn.config
	patience := config.Write - s.stuck
	if config.Rate > 0 {
		patience = min(patience, config.Write+time.Duration(1000*s.given/config.Rate)*time.Millisecond-s.stalled)
	}
	return patience
}

var errUnread = &wire.Error{Reason: reason.ClientTooSlow, What: "the client does not open its window for the answer"}
