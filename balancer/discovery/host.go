package discovery

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// host finds the addresses of one name, round after round.
type host struct {
	name   string // as it was written
	winner string // the absolute name that had them last
	v4, v6 family
}

// family is the addresses of one kind: those of the last good answer.
type family []netip.Addr

// fresh is what one round brought; the host itself has the addresses.
type fresh struct {
	ttl     time.Duration
	partial error // what failed although there are addresses
}

// pair is the outcome of the two questions about one name.
type pair struct{ v4, v6 asked }

// asked is the outcome of one question.
type asked struct {
	reply
	err error
}

// ask does one round. If it fails, the addresses are what they were.
func (h *host) ask(ctx context.Context, s settings) (fresh, error) {
	var p pair
	won, err := s.search(h.name, h.winner, func(fqdn string) (verdict, error) {
		p = askBoth(ctx, s.asker, fqdn)
		return p.verdict(fqdn)
	})
	if won == "" {
		return fresh{}, err
	}
	if won != h.winner {
		h.winner, h.v4, h.v6 = won, nil, nil // the old ones are of another name
	}
	f := fresh{longestTTL, err}
	h.v4.renew(p.v4, &f)
	h.v6.renew(p.v6, &f)
	return f, nil
}

func askBoth(ctx context.Context, a asker, fqdn string) (p pair) {
	ask := func(out *asked, kind uint16) {
		out.reply, out.err = a.ask(ctx, fqdn, kind)
		if out.err != nil {
			out.err = fmt.Errorf("%s %s: %w", shown(fqdn), dns.TypeToString[kind], out.err)
		}
	}
	var both sync.WaitGroup
	both.Go(func() { ask(&p.v4, dns.TypeA) })
	ask(&p.v6, dns.TypeAAAA)
	both.Wait()
	return p
}

func (p pair) verdict(fqdn string) (verdict, error) {
	switch {
	case len(p.v4.addrs)+len(p.v6.addrs) > 0:
		return found, nil
	case p.v4.err != nil || p.v6.err != nil:
		return unknown, also(p.v4.err, p.v6.err)
	case !p.v4.exists && !p.v6.exists:
		return absent, noName(fqdn, p.v4.server)
	}
	return empty, noRecords(fqdn, "address", p.v4.server)
}

// renew takes the addresses of a good answer, even if there are none, and leaves
// them as they are after a failed question.
func (f *family) renew(a asked, into *fresh) {
	if a.err != nil {
		into.partial = also(into.partial, a.err)
		return
	}
	*f = a.addrs
	into.ttl = min(into.ttl, a.ttl)
}

// addresses returns all of both families, each once, sorted.
func (h *host) addresses() []netip.Addr {
	all := slices.Concat(h.v4, h.v6)
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// keep makes addrs, which need not be sorted, those of the last good answer.
func (h *host) keep(addrs []netip.Addr) {
	h.v4, h.v6 = nil, nil
	for _, a := range addrs {
		if a.Is4() {
			h.v4 = append(h.v4, a)
		} else {
			h.v6 = append(h.v6, a)
		}
	}
}

func (h *host) members(port int) []Member {
	var all []Member
	for _, a := range h.addresses() {
		all = append(all, member(a, port, h.name))
	}
	return all
}
