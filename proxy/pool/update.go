package pool

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/health"
)

// CanBecome reports whether Update can make p the pool of these settings, so that all
// backends which stay keep their connections and what is known of them. Only backends
// with an address of their own may differ: all else is built in.
func (p *Pool) CanBecome(s configs.Pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	built := p.settings
	built.Backends, s.Backends = lookedUp(p.backends), lookedUp(s.Backends)
	return secured(p.backends) == secured(s.Backends) && reflect.DeepEqual(built, s)
}

// lookedUp returns the backends that are found by name.
func lookedUp(all []configs.Backend) []configs.Backend {
	return slices.DeleteFunc(slices.Clone(all), func(b configs.Backend) bool { return b.Discovery == configs.Static })
}

func secured(all []configs.Backend) bool {
	return slices.ContainsFunc(all, func(b configs.Backend) bool { return b.Scheme == "https" })
}

// Moves returns the backends that would join and leave by Update.
func (p *Pool) Moves(s configs.Pool) (join, leave []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return without(s.Backends, p.backends), without(p.backends, s.Backends)
}

// without returns the addresses of static backends of one list that another has not.
func without(list, other []configs.Backend) (addrs []string) {
	has := map[string]bool{}
	for _, b := range other {
		has[address(b)] = true
	}
	for _, b := range list {
		if b.Discovery == configs.Static && !has[address(b)] {
			addrs = append(addrs, address(b))
		}
	}
	return addrs
}

// Update lets backends join and leave as settings say, which CanBecome has been asked for.
func (p *Pool) Update(s configs.Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Equal(p.backends, s.Backends) {
		return
	}
	var watched []*entry
	for _, e := range p.entries {
		if e.Discovery != configs.Static {
			watched = append(watched, e)
		}
	}
	p.backends, p.entries = s.Backends, nil
	for _, b := range s.Backends {
		if b.Discovery == configs.Static {
			p.entries = append(p.entries, static(b))
			continue
		}
		p.entries, watched = append(p.entries, watched[0]), watched[1:] // what it has found stays
	}
	p.reconcile(time.Now())
}

// Drained returns the addresses of the backends that operators have drained, also of those
// that are not found yet.
func (p *Pool) Drained() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	drained := drainedOf(p.members)
	maps.Copy(drained, p.awaited)
	return slices.Sorted(maps.Keys(drained))
}

// Inherit has the backends with these addresses take no new work, as operators have said
// of them to another pool or process. Those that are not found yet begin so.
func (p *Pool) Inherit(drained []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, addr := range drained {
		if p.drain(addr, true) != nil {
			p.awaited[addr] = true
		}
	}
}

// Show puts what is measured of the pool in place of what another one of its name has
// shown.
func (p *Pool) Show() {
	p.metrics.Waiting(p.balance.Waiting)
	for _, s := range p.States() {
		p.parts.Metrics.Backend(p.Name(), s.Backend).Up(s.State != health.Down.String())
	}
}

// Idle reports whether no attempt runs or waits.
func (p *Pool) Idle() bool { return p.balance.Running() == 0 && p.balance.Waiting() == 0 }

// Leave ends the series of backends that successor, nil for none, does not have.
func (p *Pool) Leave(successor *Pool) {
	stays := map[string]bool{}
	if successor != nil {
		for _, s := range successor.States() {
			stays[s.Backend] = true
		}
	}
	for _, s := range p.States() {
		if !stays[s.Backend] {
			p.parts.Metrics.RemoveBackend(p.Name(), s.Backend)
		}
	}
}
