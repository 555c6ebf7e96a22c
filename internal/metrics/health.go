package metrics

import (
	"maps"
	"slices"

	"github.com/trackgate/trackgate/internal/reason"
)

// Health is what tells whether the gate does well, since its start.
type Health struct {
	Requests         uint64
	Failed           uint64 // answered with a 5xx
	Handshakes       uint64
	FailedHandshakes uint64 // those that came to nothing for another reason than the client's leaving
}

// Health adds up what all listeners have counted, those of settings that are no more
// included.
func (s *Set) Health() (h Health) {
	for _, l := range s.all() {
		for class := range classes {
			for r := range reason.Count {
				n := counted(&l.requests[class][r])
				h.Requests += n
				if class == classOf(500) {
					h.Failed += n
				}
			}
		}
		for result := range handshakeCount {
			n := counted(&l.handshakes[result])
			h.Handshakes += n
			if !result.saysNothing() {
				h.FailedHandshakes += n
			}
		}
	}
	return h
}

// all returns every listener that has been.
func (s *Set) all() []*Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.listeners))
}

// saysNothing reports whether the result says nothing against the gate.
func (h Handshake) saysNothing() bool {
	switch h {
	case HandshakeOK, HandshakeResumed, HandshakeClientClosed, HandshakeTimeout, HandshakeNotTLS:
		return true
	}
	return false
}

// Since returns what has happened since an earlier look.
func (h Health) Since(before Health) Health {
	return Health{
		h.Requests - before.Requests, h.Failed - before.Failed,
		h.Handshakes - before.Handshakes, h.FailedHandshakes - before.FailedHandshakes,
	}
}
