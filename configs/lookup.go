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
	l.Servers = c.servers(key+".servers", l.Servers)
	between(c, key+".refresh", l.Refresh, 5*time.Second, 30*time.Second)
	between(c, key+".timeout", l.Timeout, 10*time.Millisecond, 10*time.Second)
	return l
}

// servers reads a list of DNS servers.
func (c compiler) servers(key string, list []string) []string {
	servers := make([]string, len(list))
	for i, written := range list {
		servers[i] = c.server(index(key, i), written)
	}
	unique(c, key, servers)
	return some(servers)
}

func (c compiler) server(key, written string) string {
	server, ok := parseServer(written)
	if !ok {
		c.wrong(key, `an IP address with or without a port, like "10.0.0.2" or "10.0.0.2:53"`, "")
	}
	return server
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
