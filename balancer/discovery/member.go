package discovery

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// mostMembers bounds a pool: a name with more addresses than this is a mistake
// or an attack.
const mostMembers = 1000

// Member is one backend that was found. Values can be compared.
type Member struct {
	Addr     string // ip:port, an IPv6 address in brackets
	Name     string // by which it was found, without the trailing dot: what its certificate is to name. A service's members have that of their target
	Weight   int    // at least 1: its share among those of one priority, RFC 2782
	Priority int    // lower is to be asked first; 0 unless it is a service's
}

func member(a netip.Addr, port int, name string) Member {
	return Member{Addr: netip.AddrPortFrom(a, uint16(port)).String(), Name: shown(name), Weight: 1}
}

// tidy sorts members and drops those that are too many, and those whose address
// another one has: the first of the lowest priority stays. The same members come
// out in the same order, so that a cut always hits the same ones.
func tidy(members []Member) (kept []Member, dropped int) {
	slices.SortFunc(members, before)
	seen := make(map[string]bool, len(members))
	members = slices.DeleteFunc(members, func(m Member) bool {
		twice := seen[m.Addr]
		seen[m.Addr] = true
		return twice
	})
	kept = members[:min(len(members), mostMembers)]
	return slices.Clone(kept), len(members) - len(kept)
}

// before orders by priority, then address by its number, then name, and the
// greater weight first.
func before(a, b Member) int {
	return cmp.Or(
		cmp.Compare(a.Priority, b.Priority),
		compareAddr(a.Addr, b.Addr),
		strings.Compare(a.Name, b.Name),
		cmp.Compare(b.Weight, a.Weight),
	)
}

func compareAddr(a, b string) int {
	x, _ := netip.ParseAddrPort(a)
	y, _ := netip.ParseAddrPort(b)
	return cmp.Or(x.Compare(y), strings.Compare(a, b))
}
