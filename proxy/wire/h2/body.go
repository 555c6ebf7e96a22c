package h2

import (
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Errors of bodies.
var (
	errSlow     = &wire.Error{Reason: reason.ClientTooSlow, What: "the body did not arrive in time"}
	errGone     = &wire.Error{Reason: reason.ClientClosed, What: "the client gave the request up"}
	errStopped  = &wire.Error{Reason: reason.ClientClosed, What: "reading was stopped"}
	errMistake  = &wire.Error{Reason: reason.Malformed, What: "a frame that may not come here"}
	errSurplus  = &wire.Error{Reason: reason.Malformed, What: "more data than Content-Length says"}
	errShort    = &wire.Error{Reason: reason.Malformed, What: "less data than Content-Length says"}
	errTrailers = &wire.Error{Reason: reason.Malformed, What: "trailers that are malformed or do not end the request"}
)

// behind reports whether the body stands behind the head, in the same buffer.
func (s *Stream) behind() bool {
	return cap(s.body) > 0 && cap(s.arena) > 0 && &s.body[:cap(s.body)][cap(s.body)-1] == &s.arena[:cap(s.arena)][cap(s.arena)-1]
}

// putLocked adds a part of the body.
func (s *Stream) putLocked(p []byte) {
	s.latest = time.Now()
	if !s.taking {
		rest := wire.MaxHold - len(s.held)
		s.hold(p[:min(rest, len(p))])
		p = p[min(rest, len(p)):]
	}
	if len(p) > 0 {
		s.queue(p)
	}
	s.wake()
}

// hold adds to what is held. A body of a length that is known stands behind the head if
// it fits there.
func (s *Stream) hold(p []byte) {
	have := len(s.held)
	if n := s.req.Length; s.body == nil && n != wire.Unknown && n <= int64(min(cap(s.arena)-len(s.arena), arenaSize)) {
		s.body = s.arena[len(s.arena):cap(s.arena)]
	}
	for len(p) > 0 {
		if !s.behind() {
			s.body = wire.BodyRoom(s.body, have, wire.MaxHold)
		}
		n := copy(s.body[have:], p)
		p = p[n:]
		have += n
	}
	s.held = s.body[:have]
}

// queue adds to what waits for Read. What the client may send unread fits into the
// largest buffer.
func (s *Stream) queue(p []byte) {
	if s.r > 0 && s.w+len(p) > len(s.more) {
		s.w = copy(s.more, s.more[s.r:s.w])
		s.r = 0
	}
	for len(p) > 0 {
		s.more = wire.BodyRoom(s.more, s.w, wire.MaxHold)
		n := copy(s.more[s.w:], p)
		p = p[n:]
		s.w += n
	}
}

// Hold implements wire.Stream. max is wire.MaxHold.
func (s *Stream) Hold(max int) (body []byte, whole bool, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.tunnel {
		return nil, true, nil
	}
	if s.req.Length > int64(max) {
		s.taking = true
		s.taken = int64(len(s.held))
		s.owedLocked(len(s.held))
		return s.held, false, nil
	}
	if err := s.fillLocked(max); err != nil {
		return nil, false, err
	}
	s.taken = int64(len(s.held))
	if s.whole && s.fault != nil {
		return nil, false, s.fault
	}
	s.taking = true
	if s.whole && s.w == s.r {
		return s.held, true, nil
	}
	s.owedLocked(len(s.held))
	return s.held, false, nil
}

// fillLocked waits until max bytes are held or nothing more will come.
func (s *Stream) fillLocked(max int) error {
	have, from := len(s.held), time.Now()
	for !s.whole && len(s.held) < max {
		if err := s.awaitLocked(from, int64(len(s.held))); err != nil {
			return err
		}
		if len(s.held) != have {
			have, from = len(s.held), time.Now()
		}
	}
	return nil
}

// Read implements wire.Stream.
func (s *Stream) Read(p []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	from := time.Time{}
	for s.r == s.w {
		switch {
		case s.whole && s.fault != nil:
			return 0, s.fault
		case s.whole:
			return 0, io.EOF
		}
		if from.IsZero() {
			from = time.Now()
		}
		if err := s.awaitLocked(from, s.taken); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.more[s.r:s.w])
	if s.r += n; s.r == s.w {
		s.r, s.w = 0, 0
	}
	s.taken += int64(n)
	s.owedLocked(n)
	return n, nil
}

// owedLocked gives the client back what it may send, when that is worth a frame.
func (s *Stream) owedLocked(n int) {
	if s.owed += int64(n); s.owed >= streamWindow/2 {
		s.repayLocked()
	}
}

// tightWindow is what a client may hardly send anything in: a frame with its padding.
const tightWindow = 1 << 10

// repayPaddingLocked gives the client back what padding has taken, at the latest when it
// cannot go on without that: a body is not read before it is whole.
func (s *Stream) repayPaddingLocked(n int) {
	if s.owedLocked(n); s.owed > 0 && s.credit < tightWindow && !s.taking {
		s.repayLocked()
	}
}

func (s *Stream) repayLocked() {
	if s.whole || s.reset {
		return
	}
	s.credit += s.owed
	s.conn.controlLocked(appendNumber(make([]byte, 0, 16), frameWindowUpdate, s.id, uint32(s.owed)))
	s.conn.askFlushLocked()
	s.owed = 0
}

// due returns when a body that is not whole is overdue, while the reader waits for it.
func (s *Stream) due() time.Time {
	due := s.latest.Add(s.conn.config.Body)
	if s.conn.config.Rate > 0 {
		due = earlier(due, s.came.Add(s.allowance(int64(len(s.held)))))
	}
	return due
}

// allowance returns how long a body of which have bytes came may have been waited for
// altogether: one that drips in is not worth a place.
func (s *Stream) allowance(have int64) time.Duration {
	return s.conn.config.Grace + time.Duration(1000*have/s.conn.config.Rate)*time.Millisecond
}

// awaitLocked waits for a part of the body, of which have bytes came before, since the
// time from. Whether more of it can come, the reader knows alone.
func (s *Stream) awaitLocked(from time.Time, have int64) error {
	if s.stopped {
		return errStopped
	}
	now := time.Now()
	wait := from.Add(s.conn.config.Body).Sub(now)
	if s.conn.config.Rate > 0 {
		wait = min(wait, s.allowance(have)-s.waited)
	}
	if s.tunnel {
		wait = s.until.Sub(now)
	}
	if wait <= 0 {
		return errSlow
	}
	s.sayContinueLocked()
	s.pauseLocked(&s.reading, wait)
	s.waited += time.Since(now)
	return nil
}

// sayContinueLocked asks for a body that its client holds back, once (RFC 9110 section
// 10.1.1).
func (s *Stream) sayContinueLocked() {
	if s.req.Expects && !s.continued && s.got == 0 {
		s.continued = true
		s.informLocked(100, nil)
	}
}

// Stop implements wire.Stream.
func (s *Stream) Stop() {
	s.conn.mu.Lock()
	s.stopped = true
	s.conn.mu.Unlock()
	s.wake()
}

// Trailers implements wire.Stream.
func (s *Stream) Trailers() *wire.Fields { return &s.trailing }

// Taken implements wire.Stream.
func (s *Stream) Taken() int64 { return s.taken }
