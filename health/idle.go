package health

import "time"

// SetIdle says that the backend takes no work now, or does so again: it drains,
// or has no weight. It is checked and told of like any other, and its traffic may
// eject it if it still has some. But nobody can count on it: when it is asked
// how many are up, how many may pause and how the others fare, it is as if it
// were not there. A backend is not idle at first. SetIdle may be called before or
// during Run.
func (s *Subject) SetIdle(idle bool) { s.monitor.setIdle(s, idle, time.Now()) }

func (m *Monitor) setIdle(s *Subject, idle bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.removed || s.idle == idle {
		return
	}
	if idle {
		m.dismiss(s, now)
	} else {
		s.idle = false
		m.enlist(s)
		m.relieve(now)
	}
	m.notify() // the others may be spared now
}

// enlist counts s among those that take work. The lock is held.
func (m *Monitor) enlist(s *Subject) {
	m.working++
	if s.up() {
		m.ups++
	}
}

// dismiss lets s be none of those that take work any more, which may make others
// needed. The lock is held.
func (m *Monitor) dismiss(s *Subject, now time.Time) {
	if s.idle {
		return
	}
	s.idle = true
	m.working--
	if s.up() {
		m.ups--
		m.relieve(now)
	}
}
