package health

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// Monitor finds out which backends of one pool are up. Its methods may be called
// by any number of goroutines.
type Monitor struct {
	settings configs.Health
	changed  func(*Subject, State)
	question func(Target) func(context.Context) error // how a backend is asked
	chance   func() float64                           // in [0, 1)
	begun    time.Time                                // what times of answers count from
	news     chan struct{}                            // holds one: there is something to do for Run

	mu       sync.Mutex
	subjects []*Subject
	working  int       // of subjects: not idle
	ups      int       // of those
	renewed  time.Time // when the windows were cleared
}

// NewMonitor returns a Monitor without backends. Interval 0 of the settings is no
// checks, failures 0 no ejections. changed is told of every backend that comes
// back or goes down, or turns from unknown to up, one at a time and in order. It
// is called under the lock of the Monitor and must not call its methods, but
// those of Subject that only read.
func NewMonitor(settings configs.Health, changed func(*Subject, State)) *Monitor {
	m := &Monitor{
		settings: settings, changed: changed, chance: rand.Float64,
		news: make(chan struct{}, 1), begun: time.Now(),
	}
	m.renewed = m.begun
	m.question = m.overHTTP
	return m
}

// overHTTP returns the probe of a backend. A question that cannot be asked is
// answered like one to a backend that cannot answer.
func (m *Monitor) overHTTP(t Target) func(context.Context) error {
	p, err := newProbe(m.settings, t)
	if err != nil {
		return func(context.Context) error { return err }
	}
	return p.ask
}

// Add lets the Monitor watch a backend, before or during Run, until Remove. It
// counts as up until something is known of it, and is checked at once.
func (m *Monitor) Add(t Target) *Subject {
	s := &Subject{Owner: t.Owner, monitor: m, ask: m.question(t), hurry: make(chan struct{}, 1)}
	s.tally = tally{rise: m.settings.Rise, fall: m.settings.Fall, why: "not checked yet"}
	if m.settings.Interval == 0 {
		s.tally.status, s.tally.why = Up, "no active checks"
	}
	s.state.Store(&State{Status: s.tally.status, Why: s.tally.why, Since: time.Now()})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subjects = append(m.subjects, s)
	m.enlist(s)
	m.notify()
	return s
}

// Remove ends the check of s. When it has returned, changed is not told of s any
// more; it may be told of others, that they are needed.
func (m *Monitor) Remove(s *Subject) { m.remove(s, time.Now()) }

func (m *Monitor) remove(s *Subject, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.removed {
		return
	}
	s.removed = true
	if s.stop != nil {
		s.stop()
	}
	m.subjects = slices.DeleteFunc(m.subjects, func(other *Subject) bool { return other == s })
	m.dismiss(s, now)
}

// Run checks the backends and carries out what has its time, until ctx ends. It
// returns when the last probe has. It is called once.
func (m *Monitor) Run(ctx context.Context) {
	var checks sync.WaitGroup
	defer checks.Wait()
	for {
		next := m.round(ctx, &checks, time.Now())
		select {
		case <-time.After(next):
		case <-m.news:
		case <-ctx.Done():
			return
		}
	}
}

// round begins the checks of new backends and does what is due. It returns the
// time until there is more to do.
func (m *Monitor) round(ctx context.Context, checks *sync.WaitGroup, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subjects {
		if !s.begun && m.settings.Interval > 0 {
			s.begun = true
			own, stop := context.WithCancel(ctx)
			s.stop = stop
			checks.Go(func() { defer stop(); m.check(own, s) })
		}
	}
	m.catchUp(now)
	return m.next(now).Sub(now)
}

// notify lets Run have a look. The lock is held.
func (m *Monitor) notify() {
	select {
	case m.news <- struct{}{}:
	default:
	}
}
