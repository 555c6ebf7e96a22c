package configs

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// loops refuses backends that are the gate itself: one request would come round
// until there are no connections left.
func (c compiler) loops(s *Settings) {
	for i, p := range s.Pools {
		for j, b := range p.Backends {
			for _, l := range s.Listeners {
				if b.Discovery == Static && l.reachedAt(b) {
					c.wrong(index(index("pools", i)+".backends", j), "a backend; listener "+strconv.Quote(l.Name)+" has this address", "")
				}
			}
		}
	}
}

// reachedAt says whether who connects to the address of a backend comes to l, as
// far as that can be seen without asking anybody.
func (l Listener) reachedAt(b Backend) bool {
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil || port != strconv.Itoa(b.Port) {
		return false
	}
	addr, err := netip.ParseAddr(b.Host)
	here := err == nil && addr.IsLoopback() || strings.TrimSuffix(b.Host, ".") == "localhost"
	return host == b.Host || host == "" && here
}
