package admin

import (
	"net"
	"net/netip"
	"strings"
)

// hosts is what may stand in Host: the names listed, and any IP literal, which
// no page can make its own.
type hosts []string

func hostsOf(address string) hosts {
	allowed := hosts{"localhost"}
	if host, _, err := net.SplitHostPort(address); err == nil && host != "" {
		allowed = append(allowed, host)
	}
	return allowed
}

// allow decides on a Host field; its port is not looked at, for the address
// may be reached through a forwarded one.
func (h hosts) allow(field string) bool {
	host, _, err := net.SplitHostPort(field)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(field, "["), "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, name := range h {
		if strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}
