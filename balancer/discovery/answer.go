package discovery

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of what is believed of an answer.
const (
	longestChain = 16
	longestTTL   = 7 * 24 * time.Hour
)

// answer is what the records of a message say, those that count.
type answer struct {
	exists   bool // the name: false is NXDOMAIN
	addrs    []netip.Addr
	services []serviceRecord
	targets  map[string][]netip.Addr // of services, from the additional section
	ttl      time.Duration           // the shortest of the records used; longestTTL if there are none
}

// serviceRecord is one SRV record, RFC 2782.
type serviceRecord struct {
	target   string // absolute, lower case
	port     int
	priority int
	weight   int
}

// read takes from m what answers its own question. It is a pure function, and m
// may be anything that the library unpacks.
func read(m *dns.Msg) answer {
	a := answer{exists: m.Rcode == dns.RcodeSuccess, ttl: longestTTL}
	if !a.exists || len(m.Question) != 1 {
		return a
	}
	owner, kind := a.follow(m.Answer, dns.CanonicalName(m.Question[0].Name)), m.Question[0].Qtype
	for _, r := range m.Answer {
		if h := r.Header(); h.Class == dns.ClassINET && h.Rrtype == kind && dns.CanonicalName(h.Name) == owner {
			a.take(r)
		}
	}
	a.takeTargets(m.Extra)
	return a
}

// follow returns the name at the end of the CNAME records that begin at name.
func (a *answer) follow(records []dns.RR, name string) string {
	aliases := map[string]*dns.CNAME{}
	for _, r := range records {
		if c, ok := r.(*dns.CNAME); ok && c.Hdr.Class == dns.ClassINET {
			aliases[dns.CanonicalName(c.Hdr.Name)] = c
		}
	}
	for range longestChain {
		c, ok := aliases[name]
		if !ok {
			break
		}
		a.age(c)
		name = dns.CanonicalName(c.Target)
	}
	return name
}

// take adds one record of the kind asked for.
func (a *answer) take(r dns.RR) {
	if addr, ok := address(r); ok {
		a.addrs = append(a.addrs, addr)
		a.age(r)
	}
	if s, ok := r.(*dns.SRV); ok {
		a.services = append(a.services, serviceRecord{dns.CanonicalName(s.Target), int(s.Port), int(s.Priority), int(s.Weight)})
		a.age(r)
	}
}

// takeTargets takes the addresses of the services from the additional section.
func (a *answer) takeTargets(extra []dns.RR) {
	a.targets = make(map[string][]netip.Addr, len(a.services))
	for _, s := range a.services {
		a.targets[s.target] = nil
	}
	for _, r := range extra {
		name := dns.CanonicalName(r.Header().Name)
		_, wanted := a.targets[name]
		if addr, ok := address(r); ok && wanted && r.Header().Class == dns.ClassINET {
			a.targets[name] = append(a.targets[name], addr)
			a.age(r)
		}
	}
}

// age makes the answer no younger than one of its records. TTLs with the highest
// bit set are 0, RFC 2181 section 8.
func (a *answer) age(r dns.RR) {
	seconds := r.Header().Ttl
	if seconds > 1<<31-1 {
		seconds = 0
	}
	a.ttl = min(a.ttl, time.Duration(seconds)*time.Second)
}

// address returns the address of an A or AAAA record, if one can connect to it.
func address(r dns.RR) (netip.Addr, bool) {
	var addr netip.Addr
	switch r := r.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(r.A)
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(r.AAAA)
	}
	addr = addr.Unmap()
	return addr, usable(addr)
}

// usable leaves out addresses that are nobody's. An IPv6 address of one link says
// nothing without its interface, which DNS cannot name.
func usable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() &&
		!(a.Is6() && a.IsLinkLocalUnicast()) && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// hostName reports whether a name in its textual form is one that hosts have.
// Others could not be verified, and some not even written into a log.
func hostName(name string) bool {
	strange := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	return name != "." && !strings.ContainsFunc(name, strange)
}
