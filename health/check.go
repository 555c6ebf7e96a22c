package health

import (
	"context"
	"time"
)

const (
	// leastPause lies between the starts of two probes that are brought forward.
	leastPause = 100 * time.Millisecond
	// needPause is that of probes while nobody is up who takes work: with a tenth more, still two
	// a second.
	needPause = 450 * time.Millisecond
	// downPause is that of probes of a backend that is down: it is missed.
	downPause = time.Second
)

// check is the series of probes of one backend, until ctx ends.
func (m *Monitor) check(ctx context.Context, s *Subject) {
	for {
		m.attend(s)
		start := time.Now()
		failure := s.ask(ctx)
		if ctx.Err() != nil {
			return // the probe was cut short and says nothing
		}
		m.probed(s, failure, time.Now())
		if !m.rest(ctx, s, start) {
			return
		}
	}
}

// attend says that a probe begins: news from before need no other one.
func (m *Monitor) attend(s *Subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.soon = false
}

// rest waits until the next probe of s is due, after one that began at start. It
// is false if ctx ends before that.
func (m *Monitor) rest(ctx context.Context, s *Subject, start time.Time) bool {
	spread := 0.9 + 0.2*m.chance() // so that many gates do not ask in step
	for {
		select {
		case <-time.After(time.Until(start.Add(m.pause(s, spread)))):
			return true
		case <-s.hurry:
		case <-ctx.Done():
			return false
		}
	}
}

// pause is the time from the start of one probe to that of the next.
func (m *Monitor) pause(s *Subject, spread float64) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	pause := m.settings.Interval
	if m.needs(s) {
		pause = min(pause, needPause)
	}
	if s.tally.status == Down && !s.idle {
		pause = min(pause, downPause)
	}
	pause = time.Duration(float64(pause) * spread)
	if s.soon || s.tally.returning() {
		pause = min(pause, leastPause)
	}
	return pause
}
