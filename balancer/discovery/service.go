package discovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Bounds of the questions that one SRV answer may set off.
const (
	mostTargets = 64
	atOnce      = 8
)

// service finds the members of one SRV name, round after round.
type service struct {
	name    string
	winner  string
	targets map[string]*target // of the last good round, by name
}

// target is one host that SRV records name, with what this round brought.
type target struct {
	host
	given   bool // the answer had its addresses with it
	skipped bool // one too many to ask for
	fresh   fresh
	err     error
}

// ask does one round. A round in which no target has a fresh address has failed
// and changes nothing.
func (s *service) ask(ctx context.Context, set settings) round {
	r, doubt, err := s.records(ctx, set)
	if err != nil {
		return round{err: err}
	}
	services := offered(r.services)
	if len(services) == 0 {
		return round{err: fmt.Errorf("%s: its SRV records offer no service (from %s)", shown(s.name), r.server)}
	}
	targets := s.pick(services, r.answer)
	resolve(ctx, set, targets)

	out := round{ttl: r.ttl, partial: doubt}
	if out.settle(services, targets); out.err == nil {
		s.targets = targets
	}
	return out
}

// records returns the answer that has SRV records. Doubt is what could not be
// asked on the way to it.
func (s *service) records(ctx context.Context, set settings) (r reply, doubt, err error) {
	won, err := set.search(s.name, s.winner, func(fqdn string) (verdict, error) {
		var failed error
		r, failed = set.ask(ctx, fqdn, dns.TypeSRV)
		switch {
		case failed != nil:
			return unknown, fmt.Errorf("%s SRV: %w", shown(fqdn), failed)
		case !r.exists:
			return absent, noName(fqdn, r.server)
		case len(r.services) == 0:
			return empty, noRecords(fqdn, "SRV record", r.server)
		}
		return found, nil
	})
	if won == "" {
		return reply{}, nil, err
	}
	s.winner = won
	return r, err, nil
}

// offered returns the records that can be used, sorted and each once. The target
// "." says that there is no such service, RFC 2782.
func offered(records []serviceRecord) []serviceRecord {
	usable := slices.DeleteFunc(slices.Clone(records), func(r serviceRecord) bool {
		return r.port == 0 || !hostName(r.target)
	})
	slices.SortFunc(usable, func(a, b serviceRecord) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), strings.Compare(a.target, b.target),
			cmp.Compare(a.port, b.port), cmp.Compare(b.weight, a.weight))
	})
	return slices.CompactFunc(usable, func(a, b serviceRecord) bool {
		return a.priority == b.priority && a.target == b.target && a.port == b.port
	})
}

// pick returns the targets of this round. Those that were there before come with
// their addresses; they are copies, because the round may yet fail.
func (s *service) pick(services []serviceRecord, a answer) map[string]*target {
	targets := make(map[string]*target, len(services))
	asking := 0
	for _, r := range services {
		if targets[r.target] != nil {
			continue
		}
		t := &target{host: host{name: r.target}}
		if old := s.targets[r.target]; old != nil {
			t.host = old.host
		}
		if given := a.targets[r.target]; len(given) > 0 {
			t.keep(given)
			t.given, t.fresh.ttl = true, a.ttl
		} else {
			asking++
			t.skipped = asking > mostTargets
		}
		targets[r.target] = t
	}
	return targets
}

// resolve asks for the addresses of the targets that came without.
func resolve(ctx context.Context, set settings, targets map[string]*target) {
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, atOnce)
	for _, t := range targets {
		if t.given || t.skipped {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			t.fresh, t.err = t.ask(ctx, set)
			<-places
		})
	}
}
