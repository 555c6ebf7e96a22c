package configs

import (
	"net/netip"
	"strings"
)

// hosts returns the names of a listener in lower case, IP literals as netip
// prints them.
func (c compiler) hosts(key string, written []string) []string {
	hosts := make([]string, len(written))
	for i, name := range written {
		host, ok := parseHost(name)
		if !ok {
			c.wrong(index(key, i), "a host name, a wildcard like *.example.com or an IP address", likelyHost(name))
		}
		hosts[i] = host
	}
	unique(c, key, hosts)
	return some(hosts)
}

// parseHost reads a host as settings name it.
func parseHost(name string) (string, bool) {
	bare := name
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		bare = name[1 : len(name)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		return addr.String(), addr.Zone() == "" && !addr.Is4In6() && !addr.IsUnspecified() && (bare == name || addr.Is6())
	}
	host := lower(name)
	return host, domain(strings.TrimPrefix(host, "*."), false)
}

// likelyHost takes off what people copy along with a name.
func likelyHost(name string) string {
	if addr, err := netip.ParseAddr(name); err == nil && addr.Is4In6() {
		return addr.Unmap().String()
	}
	_, rest, found := strings.Cut(name, "://")
	if !found {
		rest = name
	}
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = cutPort(rest)
	host, ok := parseHost(strings.TrimSuffix(rest, "."))
	if !ok {
		return ""
	}
	return host
}

// domain says whether name is a host name by RFC 1123 section 2.1, in ASCII
// and without a dot at the end. The last label has a letter, else it would be
// an address that some programs read (RFC 3696 section 2). Names of backends
// are known inside only and may have underscores.
func domain(name string, inside bool) bool {
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if !validLabel(label, inside) {
			return false
		}
		last = label
	}
	return len(name) <= longestName && strings.ContainsFunc(last, func(r rune) bool { return letter(byte(r)) })
}

func validLabel(label string, inside bool) bool {
	for _, b := range []byte(label) {
		if !letter(b) && !digit(b) && b != '-' && (b != '_' || !inside) {
			return false
		}
	}
	return label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
}

// lower turns ASCII letters into small ones and leaves the rest.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	}, s)
}

// unbracket takes the brackets off an IPv6 literal.
func unbracket(host string) string {
	if inner := unbracketed(host); inner != "" {
		return inner
	}
	return host
}

// unbracketed returns the IPv6 literal in brackets, or "".
func unbracketed(host string) string {
	inner, opened := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if opened && closed && strings.Contains(inner, ":") {
		return inner
	}
	return ""
}
