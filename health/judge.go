package health

import (
	"fmt"
	"time"
)

const (
	leastStay    = 3 * time.Second  // that a backend stays up or down once it has changed
	windowLength = 10 * time.Second // that clients are counted together
)

// probed takes the outcome of a probe of s, nil if it passed.
func (m *Monitor) probed(s *Subject, failure error, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.removed || ours(failure) {
		return
	}
	s.tally.add(failure, m.needs(s))
	m.settle(s, now)
	if failure != nil {
		s.hasten()
	}
}

// failedAttempt takes an attempt at s that came to nothing.
func (m *Monitor) failedAttempt(s *Subject, cause Cause, err error, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.removed {
		return
	}
	s.streak.add(cause, err)
	m.settle(s, now)
	m.suspect(s, now)
	s.hasten()
}

// failedClient takes the first 5xx that a client got from s.
func (m *Monitor) failedClient(s *Subject, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !s.removed {
		m.settle(s, now)
		m.suspect(s, now)
	}
}

// catchUp does what had to wait for its time.
func (m *Monitor) catchUp(now time.Time) {
	for _, s := range m.subjects {
		m.settle(s, now)
		m.suspect(s, now)
	}
	if now.Sub(m.renewed) >= windowLength {
		m.renewed = now
		for _, s := range m.subjects {
			s.window.clear()
		}
	}
}

// next is when there will be something to catch up with.
func (m *Monitor) next(now time.Time) time.Time {
	next := m.renewed.Add(windowLength)
	for _, s := range m.subjects {
		for _, t := range []time.Time{s.ejection.until, s.turned.Add(leastStay)} {
			if t.After(now) && t.Before(next) {
				next = t
			}
		}
	}
	return next
}

// settle makes what check and traffic say of s its state, unless it is too early.
func (m *Monitor) settle(s *Subject, now time.Time) {
	was, is := s.state.Load(), s.verdict(now)
	switch {
	case was.up() != is.up():
		if !m.tooEarly(s, now) || s.relieved && is.Cause == CauseCheck {
			m.turn(s, is, now)
		}
	case was.Status != is.Status: // not unknown any more
		m.publish(s, is, now)
		m.changed(s, s.State())
	case !is.up() && was.Why != is.Why: // still down, but there is more to say
		m.publish(s, is, was.Since)
	}
}

// needs says whether nobody is up who takes work, so that s is wanted back.
func (m *Monitor) needs(s *Subject) bool { return m.ups == 0 && !s.idle }

// tooEarly says whether s has changed so recently that it stays as it is. A
// backend that is needed comes back at once. The first verdict is not delayed:
// the zero time is long ago.
func (m *Monitor) tooEarly(s *Subject, now time.Time) bool {
	return !m.needs(s) && now.Sub(s.turned) < leastStay
}

// turn lets s come back or go down.
func (m *Monitor) turn(s *Subject, is State, now time.Time) {
	s.turned, s.relieved = now, false
	m.publish(s, is, now)
	if is.up() {
		m.count(s, +1)
		s.forget()
	} else {
		m.count(s, -1)
	}
	m.changed(s, s.State())
	m.notify()
	m.relieve(now)
}

// count lets s be one more, or one less, that is up and takes work.
func (m *Monitor) count(s *Subject, by int) {
	if !s.idle {
		m.ups += by
	}
}

func (m *Monitor) publish(s *Subject, is State, since time.Time) {
	is.Since = since
	s.state.Store(&is)
}

// relieve does what it can if nobody is up: those that only pause come back, and
// the others are checked more often. Who comes back so is not known to be well:
// its check may take it out again at once. Those that are idle would be no relief.
func (m *Monitor) relieve(now time.Time) {
	if m.ups > 0 {
		return
	}
	for _, s := range m.subjects {
		if !s.idle {
			s.ejection.lift()
			s.wake()
		}
	}
	for _, s := range m.subjects {
		if is := s.verdict(now); !s.idle && is.up() && !s.up() {
			m.turn(s, is, now)
			s.relieved = true
		}
	}
}

// suspect ejects s if the traffic says so and the pool can do without it.
func (m *Monitor) suspect(s *Subject, now time.Time) {
	if m.settings.Failures == 0 || !s.up() || !m.canSpare(s) || m.tooEarly(s, now) {
		return
	}
	if cause, why := m.evidence(s); cause != CauseNone {
		s.ejection.begin(now, s.turned, cause, why)
		m.settle(s, now)
	}
}

// canSpare says whether half of the backends that take work would still be up
// without s, and at least one. What cannot be asked, only observed, takes no more
// than that.
func (m *Monitor) canSpare(s *Subject) bool { return s.idle || m.ups-1 >= (m.working+1)/2 }

// evidence is what the traffic has against s, if it is enough.
func (m *Monitor) evidence(s *Subject) (Cause, string) {
	if n := s.streak.length.Load(); int(n) >= m.settings.Failures {
		return s.streak.cause, s.streak.words(n)
	}
	own, others := m.compare(s)
	if !own.stands(others) {
		return CauseNone, ""
	}
	return CauseErrors, fmt.Sprintf("%d of %d clients got a 5xx, of the other backends %d of %d",
		own.failed, own.all, others.failed, others.all)
}

// compare counts the clients of s and those of the other backends that are up and
// take work.
func (m *Monitor) compare(s *Subject) (own, others turnout) {
	var mine, theirs crowd
	mine.join(&s.window)
	for _, other := range m.subjects {
		if other != s && other.up() && !other.idle {
			theirs.join(&other.window)
		}
	}
	return mine.turnout(), theirs.turnout()
}
