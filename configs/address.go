package configs

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// address returns an address to listen on in its one spelling. The addresses
// that mean all interfaces become ":port", which is what the system makes of
// them.
func (c compiler) address(key, written string) string {
	address, ok := parseAddress(written)
	if !ok {
		hint := ""
		if _, likely := parseAddress(":" + written); likely {
			hint = ":" + written
		}
		c.wrong(key, `an address like ":443", "10.0.0.1:443" or "[::1]:443", the port from 1 to 65535`, hint)
	}
	return address
}

func parseAddress(written string) (string, bool) {
	host, port, err := net.SplitHostPort(written)
	if err != nil || !validPort(port) {
		return "", false
	}
	if host == "" {
		return ":" + port, true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return "", false
	}
	if addr = addr.Unmap(); addr.IsUnspecified() {
		return ":" + port, true
	}
	return net.JoinHostPort(addr.String(), port), true
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

// overlap says whether both addresses can't be listened on at once: one of
// them is for all interfaces.
func overlap(a, b string) bool {
	wild, other := a, b
	if strings.HasPrefix(b, ":") {
		wild, other = b, a
	}
	return a != b && strings.HasPrefix(wild, ":") && strings.HasSuffix(other, wild)
}

// neighbours checks listeners that share an address against the first of them.
func (c compiler) neighbours(listeners []Listener) {
	owners := make(map[string]int) // of address and host
	for j, l := range listeners {
		if l.Address == "" {
			continue
		}
		i := slices.IndexFunc(listeners[:j], func(other Listener) bool { return overlap(other.Address, l.Address) })
		if i >= 0 {
			c.wrong(index("listeners", j)+".address", "the same address as "+index("listeners", i)+
				", which takes this port on all interfaces, or another port", "")
		}
		if first := firstAt(listeners, l.Address); first < j {
			c.agree(index("listeners", j), l, listeners[first])
		}
		c.ownHosts(j, l, owners)
	}
}

func firstAt(listeners []Listener, address string) int {
	return slices.IndexFunc(listeners, func(l Listener) bool { return l.Address == address })
}

// agree checks what is decided before the listener is known.
func (c compiler) agree(key string, l, first Listener) {
	if l.TLS != first.TLS {
		c.wrong(key+".address", "another address, because listener "+strconv.Quote(first.Name)+
			" has this one and only one of the two speaks TLS", "")
	}
	if !sameSet(l.ProxyProtocol, first.ProxyProtocol) {
		c.wrong(key+".proxy_protocol", "the same senders as on listener "+strconv.Quote(first.Name)+
			", which has the same address", "")
	}
}

func sameSet(a, b []netip.Prefix) bool {
	sorted := func(s []netip.Prefix) []netip.Prefix {
		return slices.SortedFunc(slices.Values(s), netip.Prefix.Compare)
	}
	return slices.Equal(sorted(a), sorted(b))
}

// ownHosts checks that each host of an address belongs to one listener. A
// listener without hosts, which only a redirect can be, takes all the others.
func (c compiler) ownHosts(j int, l Listener, owners map[string]int) {
	if l.Kind == Redirect && len(l.Hosts) == 0 {
		c.ownHost(index("listeners", j)+".hosts", l.Address+" *", j, owners)
	}
	for k, host := range l.Hosts {
		c.ownHost(index(index("listeners", j)+".hosts", k), l.Address+" "+host, j, owners)
	}
}

func (c compiler) ownHost(key, host string, j int, owners map[string]int) {
	if i, taken := owners[host]; taken {
		c.wrong(key, "hosts that no other listener of this address has ("+index("listeners", i)+" has them)", "")
		return
	}
	owners[host] = j
}
