package tlsconf

import (
	"net/netip"
	"strings"
)

// reversed returns the address that a name for reverse lookup stands for: an authority that
// comes to see an IP address under our control cannot name it otherwise (RFC 8738 section 6).
// name is in lower case.
func reversed(name string) (netip.Addr, bool) {
	if labels, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		return backwards(strings.Split(labels, "."), 4, 1, ".")
	}
	if labels, ok := strings.CutSuffix(name, ".ip6.arpa"); ok {
		return backwards(strings.Split(labels, "."), 32, 4, ":")
	}
	return netip.Addr{}, false
}

// backwards joins count labels from the last to the first, so many a group.
func backwards(labels []string, count, group int, separator string) (netip.Addr, bool) {
	if len(labels) != count {
		return netip.Addr{}, false
	}
	var text strings.Builder
	for i := range labels {
		label := labels[count-1-i]
		if group > 1 && len(label) != 1 { // one digit each
			return netip.Addr{}, false
		}
		if i > 0 && i%group == 0 {
			text.WriteString(separator)
		}
		text.WriteString(label)
	}
	addr, err := netip.ParseAddr(text.String())
	return addr.Unmap(), err == nil
}
