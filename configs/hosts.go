package configs

import (
	"net/netip"
	"strings"
)

// longestName is that of a host name in text form (RFC 1035 section 2.3.4).
const longestName = 253

// Hosts knows which listener of one address a name belongs to. It never
// changes, so it may be used by many goroutines.
type Hosts struct {
	exact    map[string]int     // lower case
	under    map[string]int     // what follows the first label of a wildcard, with its dot
	literals map[netip.Addr]int // taken by two listeners: ambiguous
	others   int                // the listener without hosts, or ambiguous where there is none
}

const ambiguous = -1

// NewHosts returns the hosts of listeners that share an address. What Find
// returns is an index of this slice. A listener without hosts, which only a
// redirect can be, takes every valid name that no other one has.
func NewHosts(listeners []Listener) *Hosts {
	h := &Hosts{map[string]int{}, map[string]int{}, map[netip.Addr]int{}, ambiguous}
	for i := range listeners {
		if len(listeners[i].Hosts) == 0 && h.others == ambiguous {
			h.others = i
		}
		for _, host := range listeners[i].Hosts {
			h.put(lower(host), i)
		}
	}
	return h
}

func (h *Hosts) put(host string, i int) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if owner, taken := h.literals[addr]; taken && owner != i {
			i = ambiguous
		}
		h.literals[addr] = i
		return
	}
	names := h.exact
	if suffix, wild := strings.CutPrefix(host, "*"); wild {
		names, host = h.under, suffix
	}
	if _, taken := names[host]; !taken {
		names[host] = i
	}
}

// Find returns the listener that name belongs to: an exact name before a
// wildcard, case does not matter, an IPv6 literal with or without brackets. It
// takes SNI and Host (without its port) as they came, and finds nothing for a
// name with a dot at its end. Without a name, local decides, the address that
// the client connected to: it is found where exactly one listener names it.
// Find does not allocate.
func (h *Hosts) Find(name string, local netip.Addr) (index int, ok bool) {
	if name == "" {
		return h.literal(local.Unmap())
	}
	if !literalShaped(name) {
		return h.name(name)
	}
	addr, err := netip.ParseAddr(unbracket(name))
	if err != nil || addr.Zone() != "" {
		return 0, false
	}
	if i, ok := h.literal(addr); ok {
		return i, true
	}
	return h.rest()
}

// rest returns the listener without hosts.
func (h *Hosts) rest() (int, bool) { return max(h.others, 0), h.others != ambiguous }

// literalShaped says whether name can only be an address: it has a colon, or
// ends in digits after a dot. ParseAddr is not asked about others because its
// error allocates.
func literalShaped(name string) bool {
	last := len(name)
	for last > 0 && digit(name[last-1]) {
		last--
	}
	return strings.IndexByte(name, ':') >= 0 || last < len(name) && last > 0 && name[last-1] == '.'
}

func (h *Hosts) literal(addr netip.Addr) (int, bool) {
	i, ok := h.literals[addr]
	if !ok || i == ambiguous {
		return 0, false
	}
	return i, true
}

func (h *Hosts) name(name string) (int, bool) {
	var space [longestName]byte
	small, ok := lowered(name, &space)
	if !ok {
		return 0, false
	}
	// A map that is indexed by string(bytes) makes no string.
	if i, ok := h.exact[string(small)]; ok {
		return i, true
	}
	dot := strings.IndexByte(name, '.')
	if dot > 0 {
		if i, ok := h.under[string(small[dot:])]; ok {
			return i, true
		}
	}
	return h.rest()
}

// lowered writes name to space in lower case. It refuses what is no host name:
// wildcards match any label, so labels have to be some.
func lowered(name string, space *[longestName]byte) ([]byte, bool) {
	if len(name) > len(space) || name[len(name)-1] == '.' || name[0] == '.' {
		return nil, false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case letter(c):
			c |= 0x20
		case c == '.' && name[i-1] == '.':
			return nil, false
		case !digit(c) && c != '-' && c != '.' && c != '_':
			return nil, false
		}
		space[i] = c
	}
	return space[:len(name)], true
}
