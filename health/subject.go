package health

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"
)

// Subject is one backend as its Monitor knows it. Its methods may be called by
// any number of goroutines, also after Remove, when they do nothing of note.
type Subject struct {
	Owner any // as Target had it

	monitor  *Monitor
	state    atomic.Pointer[State]
	streak   streak
	answered lastAnswer
	window   window
	ask      func(context.Context) error
	hurry    chan struct{} // holds one: the next probe may be due sooner

	// the monitor's lock is held for these
	tally    tally
	ejection ejection
	idle     bool      // it takes no work, and the others cannot count on it
	turned   time.Time // when it last came back or went down; zero: never
	relieved bool      // it came back only because nobody was up
	soon     bool      // there is news: the next probe is not to wait
	begun    bool      // its check runs
	removed  bool
	stop     context.CancelFunc // of its check; nil before it has begun
}

// State returns what is known of the backend now.
func (s *Subject) State() State { return *s.state.Load() }

// Answer tells of an attempt that the backend answered in time with status, for
// this client, and when. It takes no lock unless this is the client's first 5xx
// for some seconds.
func (s *Subject) Answer(status int, client netip.Addr, at time.Time) {
	if s.note(status, client, at) {
		s.monitor.failedClient(s, time.Now())
	}
}

// note says whether the answer is the first 5xx of the window to that client.
func (s *Subject) note(status int, client netip.Addr, at time.Time) bool {
	s.answered.note(at.Sub(s.monitor.begun))
	s.streak.end()
	if status >= 500 {
		return s.window.failed.add(place(client))
	}
	s.window.served.add(place(client))
	return false
}

// Unreachable tells of an attempt that got no connection to the backend, and why.
// An error that is the gate's own want of file descriptors does not count.
func (s *Subject) Unreachable(err error) {
	if !ours(err) {
		s.monitor.failedAttempt(s, CauseConnectFailed, err, time.Now())
	}
}

// Late tells of an attempt that got a connection but no answer in time, and when
// it began. It only counts if the backend has answered nobody since: a client may
// have many slow requests at once on a backend that is well.
func (s *Subject) Late(began time.Time) {
	if !s.answered.after(began.Sub(s.monitor.begun)) {
		s.monitor.failedAttempt(s, CauseTimeout, nil, time.Now())
	}
}

// Doubt tells of an attempt that ended as no backend in good health ends one, such
// as a connection that is closed instead of an answer. Clients may provoke that, so
// it counts for nothing; but the next probe is brought forward.
func (s *Subject) Doubt() {
	s.monitor.mu.Lock()
	defer s.monitor.mu.Unlock()
	s.hasten()
}

// up says whether the backend is given traffic.
func (s *Subject) up() bool { return s.state.Load().up() }

// verdict is what check and traffic say of the backend together. The lock is held.
func (s *Subject) verdict(now time.Time) State {
	switch was := s.state.Load().Cause; {
	case s.tally.status == Down:
		return State{Status: Down, Cause: CauseCheck, Why: s.tally.why}
	case s.ejection.holds(now):
		return State{Status: Down, Cause: s.ejection.cause, Why: s.ejection.why}
	case was != CauseNone && was != CauseCheck:
		return State{Status: s.tally.status, Why: s.ejection.over()}
	}
	return State{Status: s.tally.status, Why: s.tally.why}
}

// forget begins anew with what the traffic says: what was before the backend
// came back is not held against it again. The lock is held.
func (s *Subject) forget() {
	s.streak.end()
	s.window.clear()
}

// hasten brings the next probe forward if the check might have missed something.
// The lock is held.
func (s *Subject) hasten() {
	if s.up() || s.tally.status != Down {
		s.soon = true
		s.wake()
	}
}

// wake lets the check look again when its next probe is due.
func (s *Subject) wake() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}
