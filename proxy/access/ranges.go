package access

import (
	"net/netip"
	"slices"
	"sort"
)

// Ranges is a set of addresses. It never changes; the zero value is empty.
type Ranges struct {
	spans []span // disjoint, ascending, IPv4 first
}

// span is all addresses of one family from first to last.
type span struct{ first, last netip.Addr }

// NewRanges returns the set of all addresses that a prefix holds. Prefixes may
// overlap; invalid ones hold nothing. "::/0" is all of IPv6 and none of IPv4,
// mapped or not.
func NewRanges(prefixes []netip.Prefix) Ranges {
	spans := make([]span, 0, len(prefixes))
	for _, p := range prefixes {
		if p = unmapPrefix(p); p.IsValid() {
			spans = append(spans, span{p.Masked().Addr(), lastOf(p)})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.first.Compare(b.first) })
	return Ranges{merge(spans)}
}

// Contains says whether addr is in the set. The zone of an address is not
// looked at.
func (r Ranges) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	at := sort.Search(len(r.spans), func(i int) bool { return addr.Less(r.spans[i].first) })
	return at > 0 && !r.spans[at-1].last.Less(addr)
}

// unmapPrefix turns a prefix of mapped IPv4 addresses into one of IPv4.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// lastOf is the highest address of p.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(b); bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// merge joins sorted spans that overlap.
func merge(spans []span) []span {
	var all []span
	for _, s := range spans {
		if n := len(all); n > 0 && !all[n-1].last.Less(s.first) {
			if all[n-1].last.Less(s.last) {
				all[n-1].last = s.last
			}
			continue
		}
		all = append(all, s)
	}
	return all
}
