package configs

import (
	"net"
	"net/netip"
	"time"
)

// Lookup says how the names of discovery are looked up.
type Lookup struct {
	Servers []string      // host:port, the host an IP address; nil: those of /etc/resolv.conf
	Refresh time.Duration // longest time between two questions; a shorter TTL counts
	Timeout time.Duration // of one question
}

func (c compiler) lookup(key string, l Lookup) Lookup {
	servers := make([]string, len(l.Servers))
	for i, written := range l.Servers {
		server, ok := parseServer(written)
		if !ok {
			c.wrong(index(key+".servers", i), `an IP address with or without a port, like "10.0.0.2" or "10.0.0.2:53"`, "")
		}
		servers[i] = server
	}
	unique(c, key+".servers", servers)
	between(c, key+".refresh", l.Refresh, 5*time.Second, 30*time.Second)
	between(c, key+".timeout", l.Timeout, 10*time.Millisecond, 10*time.Second)
	l.Servers = some(servers)
	return l
}

// parseServer reads the address of a DNS server. A name is refused: somebody
// would have to be asked for it first.
func parseServer(written string) (string, bool) {
	if addr, err := netip.ParseAddr(unbracket(written)); err == nil {
		return net.JoinHostPort(addr.Unmap().String(), "53"), reachable(addr)
	}
	host, port, err := net.SplitHostPort(written)
	if err != nil || !validPort(port) {
		return "", false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "", false
	}
	return net.JoinHostPort(addr.Unmap().String(), port), reachable(addr)
}

// reachable says whether an address can be connected to as it is written.
func reachable(addr netip.Addr) bool { return addr.Zone() == "" && !addr.Unmap().IsUnspecified() }
