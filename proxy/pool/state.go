package pool

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/trackgate/trackgate/health"
)

// State is what is known of a backend, for people and for programs.
type State struct {
	Pool        string    `json:"pool"`
	Backend     string    `json:"backend"`
	State       string    `json:"state"` // up, down, unknown (not checked yet, takes work)
	Why         string    `json:"why"`
	Since       time.Time `json:"since"`
	Weight      int       `json:"weight"`
	Priority    int       `json:"priority"`
	Draining    bool      `json:"draining"`
	Full        bool      `json:"full"`    // as many attempts as it may have
	Spare       bool      `json:"spare"`   // stands back for those of a lower priority
	Running     int       `json:"running"` // attempts
	Kept        int       `json:"kept"`    // connections
	IdleSeconds float64   `json:"idle_seconds"`
}

// States returns the state of each backend, by priority and in the order of
// joining.
func (p *Pool) States() []State {
	var list []State
	for _, turn := range p.balance.Backends() {
		b := turn.Owner.(*Backend)
		known := b.subject.State()
		list = append(list, State{
			Pool: p.Name(), Backend: b.Addr, State: known.Status.String(), Why: known.Why, Since: known.Since,
			Weight: turn.Weight(), Priority: turn.Priority, Draining: turn.Draining(),
			Full: p.balance.Full(turn), Spare: turn.Spare(), Running: turn.Claimed(),
			Kept: b.Conns.Len(), IdleSeconds: b.Conns.Idle().Seconds(),
		})
	}
	slices.SortStableFunc(list, func(a, b State) int { return cmp.Compare(a.Priority, b.Priority) })
	return list
}

// TakesWork reports whether a new request may go to the backend.
func (s *State) TakesWork() bool {
	return s.State != health.Down.String() && !s.Draining && s.Weight > 0
}

// PassedOver is why another backend is chosen, in words.
func (s *State) PassedOver() string {
	switch {
	case s.State == health.Down.String():
		return "it is down"
	case s.Draining:
		return "it is draining"
	case s.Weight == 0:
		return "it has no weight"
	case s.Full:
		return "it is full"
	case s.Spare:
		return "those of a lower priority come first"
	}
	return "it is not its turn"
}

// String says it in words.
func (s *State) String() string {
	text := fmt.Sprintf("%s (weight %d): %s, %s", s.Backend, s.Weight, s.State, s.Why)
	if s.Draining {
		text += ", draining"
	}
	if s.Full {
		text += fmt.Sprintf(", full with %d attempts", s.Running)
	}
	if s.Spare {
		text += fmt.Sprintf(", spare of priority %d", s.Priority)
	}
	return text
}

// UnknownBackendError is a backend that a pool does not have.
type UnknownBackendError struct{ Pool, Backend string }

// Error names both.
func (e *UnknownBackendError) Error() string {
	return fmt.Sprintf("pool %s has no backend %s", e.Pool, e.Backend)
}

// Drain lets the backend with that address take no new work, or take it again.
// What runs on it is finished. The error is an *UnknownBackendError.
func (p *Pool) Drain(addr string, draining bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drain(addr, draining)
}

// drain is Drain where p.mu is held.
func (p *Pool) drain(addr string, draining bool) error {
	return p.withBackend(addr, func(b *Backend) {
		p.balance.SetDraining(b.turn, draining)
		b.idle()
	})
}

// SetWeight changes the share of the backend with that address; 0 is none. The
// error is an *UnknownBackendError.
func (p *Pool) SetWeight(addr string, weight int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.withBackend(addr, func(b *Backend) {
		p.balance.SetWeight(b.turn, weight)
		b.idle()
	})
}

// withBackend does something to the member with that address. p.mu is held.
func (p *Pool) withBackend(addr string, do func(*Backend)) error {
	for _, b := range p.members {
		if b.Addr == addr {
			do(b)
			return nil
		}
	}
	return &UnknownBackendError{p.Name(), addr}
}
