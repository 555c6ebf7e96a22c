package tlsconf

import (
	"time"
)

// span is the time for which the choice of certificates is the same: until one of them
// begins, ends or is to be renewed. Whoever asks whether it is over finds a clock that
// was set as well, forward or back.
type span struct {
	from, until time.Time // until is the first moment behind it; zero: no end
}

func (s span) holds(now time.Time) bool {
	return !now.Before(s.from) && (s.until.IsZero() || now.Before(s.until))
}

// around returns the span of a moment where these are held.
func around(now time.Time, held []heldCert) span {
	var s span
	for _, h := range held {
		s.cut(now, h.cert.Leaf.NotBefore)
		s.cut(now, behind(h.cert.Leaf.NotAfter))
		if h.ours {
			s.cut(now, behind(renewalOf(h.cert.Leaf)))
		}
	}
	return s
}

// cut ends the span at a moment of change, on that side of now where it lies.
func (s *span) cut(now, at time.Time) {
	switch {
	case !at.After(now) && at.After(s.from):
		s.from = at
	case at.After(now) && (s.until.IsZero() || at.Before(s.until)):
		s.until = at
	}
}

// behind returns the first moment that comes after the last one of something: to the
// end of a certificate its last second belongs (RFC 5280, 4.1.2.5).
func behind(last time.Time) time.Time { return last.Add(1) }
