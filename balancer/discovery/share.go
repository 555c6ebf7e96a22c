package discovery

import (
	"fmt"
	"maps"
	"slices"
)

// fine is how much finer shares are told where whole weights will not do: a
// weight of 0 is a hundredth of the least other one.
const fine = 100

// settle makes members of the services and of the addresses of their targets.
func (r *round) settle(services []serviceRecord, targets map[string]*target) {
	resolved := false
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		t := targets[name]
		if err := also(t.err, t.fresh.partial); err != nil {
			failed = append(failed, err)
		}
		if t.err == nil && !t.skipped {
			resolved = true
			r.ttl = min(r.ttl, t.fresh.ttl)
		}
	}
	if !resolved {
		r.err = several(failed)
		return
	}
	r.partial = also(r.partial, several(failed))
	r.members, r.dropped = share(services, targets)
}

// several says the first of many errors, and how many more there are.
func several(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return fmt.Errorf("%w (and %d more)", errs[0], len(errs)-1)
}

// share gives the members of each priority their weights. Services are sorted by
// priority. Where all weights are 0 they are as good as 1. Dropped counts those
// whose targets were too many to ask for.
func share(services []serviceRecord, targets map[string]*target) (members []Member, dropped int) {
	for len(services) > 0 {
		n := 1
		for n < len(services) && services[n].priority == services[0].priority {
			n++
		}
		group := services[:n]
		level(group)
		more, out := shareGroup(group, targets)
		members, dropped = append(members, more...), dropped+out
		services = services[n:]
	}
	return members, dropped
}

// level makes all weights 1 if all are 0.
func level(group []serviceRecord) {
	if slices.ContainsFunc(group, func(s serviceRecord) bool { return s.weight > 0 }) {
		return
	}
	for i := range group {
		group[i].weight = 1
	}
}

// shareGroup does so for one priority.
func shareGroup(group []serviceRecord, targets map[string]*target) (members []Member, dropped int) {
	factor := factor(group, targets)
	for _, s := range group {
		t := targets[s.target]
		if t.skipped {
			dropped++
			continue
		}
		members = append(members, s.members(t, factor)...)
	}
	return members, dropped
}

// factor is what the weights of one priority are multiplied with: fine, if a 0 is
// among them or if some targets have more addresses than others, else 1.
func factor(group []serviceRecord, targets map[string]*target) int {
	addresses := 0
	for _, s := range group {
		n := len(targets[s.target].addresses())
		if s.weight == 0 || n > 0 && addresses > 0 && n != addresses {
			return fine
		}
		addresses = max(addresses, n)
	}
	return 1
}

// members is the addresses of one record's target, which share its weight.
func (s serviceRecord) members(t *target, factor int) []Member {
	var all []Member
	addrs := t.addresses()
	for _, a := range addrs {
		m := member(a, s.port, s.target)
		m.Priority = s.priority
		m.Weight = max(1, s.weight*factor/len(addrs))
		all = append(all, m)
	}
	return all
}
