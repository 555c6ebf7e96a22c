package pool

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/balancer/discovery"
	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/health"
	"github.com/trackgate/trackgate/internal/metrics"
)

// entry is one of the backends in the settings: an address, or a name that
// stands for some.
type entry struct {
	configs.Backend
	members []discovery.Member // those found last; of a static entry the one it is
	failing bool               // the last lookup went wrong
	partial bool               // a part of it did
	metrics *metrics.Discovery
}

// newEntries returns the entries of a pool.
func newEntries(s configs.Pool, set *metrics.Set) []*entry {
	entries := make([]*entry, len(s.Backends))
	for i, b := range s.Backends {
		if b.Discovery == configs.Static {
			entries[i] = static(b)
			continue
		}
		entries[i] = &entry{Backend: b, metrics: set.Discovery(s.Name, b.Host)}
	}
	return entries
}

// static is the entry of a backend with an address of its own.
func static(b configs.Backend) *entry {
	return &entry{Backend: b, members: []discovery.Member{{Addr: address(b), Name: b.Host, Weight: 1}}}
}

func address(b configs.Backend) string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

// watch returns the watch of a name, nil for an address.
func (e *entry) watch(r *discovery.Resolver) *discovery.Watch {
	switch e.Discovery {
	case configs.DNS:
		return r.Host(e.Host, e.Port)
	case configs.SRV:
		return r.Service(e.Host)
	}
	return nil
}

// identity tells whether a member is still the same.
type identity struct {
	addr     string
	name     string // that its certificate must have
	secure   bool
	priority int
}

// wanted is a member with what the settings say of its entry.
type wanted struct {
	identity
	host   string // for the Host field of checks
	found  bool   // by a name
	weight int
}

// wants returns who is to be a member, in the order of the settings, each once.
func (p *Pool) wants() (list []wanted) {
	seen := map[string]bool{}
	for _, e := range p.entries {
		for _, m := range e.members {
			if seen[m.Addr] {
				continue // an address that two names stand for belongs to the first
			}
			seen[m.Addr] = true
			list = append(list, wanted{
				identity: identity{m.Addr, e.certified(), e.Scheme == "https", m.Priority},
				host:     e.host(m), found: e.Discovery != configs.Static, weight: e.Weight * m.Weight,
			})
		}
	}
	return list
}

// host is what a check says in its Host field: the name by which the backend was
// found, because some installations answer to no address.
func (e *entry) host(m discovery.Member) string {
	if e.Discovery == configs.Static {
		return m.Addr
	}
	_, port, _ := net.SplitHostPort(m.Addr)
	return net.JoinHostPort(m.Name, port)
}

// certified is the name that a certificate must have: the one in the settings, not
// one that DNS puts in its place (RFC 9525 section 6.1).
func (e *entry) certified() string {
	name := strings.TrimSuffix(e.Host, ".")
	for e.Discovery == configs.SRV && strings.HasPrefix(name, "_") {
		_, name, _ = strings.Cut(name, ".")
	}
	return name
}

// reconcile lets join who is wanted and is no member, and leave who is a member
// and not wanted. p.mu is held, or nobody else knows p yet.
func (p *Pool) reconcile(now time.Time) {
	left, change := p.members, balancer.Change{Weights: map[*balancer.Backend]int{}}
	p.members = make(map[identity]*Backend, len(left))
	addrs, drained := map[string]bool{}, drainedOf(left)
	for _, w := range p.wants() {
		b, known := left[w.identity]
		if !known {
			b = p.join(w, drained[w.addr])
			change.Join = append(change.Join, b.turn)
		}
		delete(left, w.identity)
		p.members[w.identity], addrs[w.addr] = b, true
		if b.weight != w.weight {
			b.weight, change.Weights[b.turn] = w.weight, w.weight
		}
	}
	for _, b := range left {
		change.Leave = append(change.Leave, b.turn)
	}
	p.balance.Apply(change, now)
	for _, b := range left {
		p.leave(b, !addrs[b.Addr])
	}
	for _, b := range p.members {
		b.idle()
	}
}

// drainedOf returns the addresses that operators have drained. Who joins anew with one of
// them, with another priority say, is the same to them.
func drainedOf(members map[identity]*Backend) map[string]bool {
	drained := map[string]bool{}
	for _, b := range members {
		if b.turn.Draining() {
			drained[b.Addr] = true
		}
	}
	return drained
}

// join makes a backend that is watched.
func (p *Pool) join(w wanted, drained bool) *Backend {
	b := p.newBackend(w)
	b.subject = p.monitor.Add(health.Target{Addr: w.addr, Host: w.host, TLS: b.tls, Owner: b})
	b.metrics.Up(true) // its series may be that of one that was here before
	if drained || p.awaited[w.addr] {
		p.balance.SetDraining(b.turn, true)
		delete(p.awaited, w.addr)
	}
	if w.found {
		p.parts.Log.Info().Str("pool", p.Name()).Str("backend", b.Addr).Msg("backend joined")
	}
	return b
}

// leave ends what a membership was but for the turns. What runs on the backend
// goes on. last says that nobody else has its address, so that its series end.
func (p *Pool) leave(b *Backend, last bool) {
	p.monitor.Remove(b.subject)
	b.Conns.Close()
	if last {
		p.parts.Metrics.RemoveBackend(p.Name(), b.Addr)
	}
	p.parts.Log.Info().Str("pool", p.Name()).Str("backend", b.Addr).Msg("backend left: it is not found any more")
}
