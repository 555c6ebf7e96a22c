package configs

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// URL returns the backend as it can be written in settings, with its port and
// without its weight.
func (b Backend) URL() string {
	scheme := b.Scheme
	if b.Discovery != Static {
		scheme = string(b.Discovery) + "+" + scheme
	}
	if b.Discovery == SRV {
		return scheme + "://" + b.Host
	}
	return scheme + "://" + net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
}

// parseBackend reads a backend's URL. Where ok is false the scheme is there if
// it could be read.
func parseBackend(written string) (b Backend, ok bool) {
	scheme, authority, _ := strings.Cut(written, "://")
	if b, ok = parseScheme(scheme); !ok {
		return Backend{}, false
	}
	port := 80
	if b.Scheme == "https" {
		port = 443
	}
	switch b.Discovery {
	case DNS:
		b.Host, b.Port, ok = parseNamed(authority, port)
	case SRV:
		b.Host, ok = lower(authority), validService(lower(authority))
	default:
		b.Host, b.Port, ok = parseAuthority(authority, port)
	}
	return b, ok
}

// parseScheme reads http or https, with the discovery before it.
func parseScheme(scheme string) (b Backend, ok bool) {
	b.Scheme = scheme
	if how, rest, found := strings.Cut(scheme, "+"); found {
		b.Discovery, b.Scheme = Discovery(how), rest
		ok = b.Discovery == DNS || b.Discovery == SRV
	} else {
		ok = true
	}
	return b, ok && (b.Scheme == "http" || b.Scheme == "https")
}

// parseAuthority reads the host of a backend, in lower case and without
// brackets, and its port, which is the given one if none is written.
func parseAuthority(authority string, port int) (string, int, bool) {
	name, port, ok := splitPort(authority, port)
	if !ok || strings.Contains(name, ":") && unbracketed(name) == "" {
		return "", 0, false
	}
	host := lower(unbracket(name))
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String(), port, reachable(addr)
	}
	return host, port, domain(host, true)
}

// parseNamed reads a name that is asked for, and its port. A dot at the end of
// the name keeps the search domains out. Addresses are no names, and those of
// services have no addresses.
func parseNamed(authority string, port int) (string, int, bool) {
	name, port, ok := splitPort(authority, port)
	name = lower(name)
	return name, port, ok && !underscored(name) && domain(strings.TrimSuffix(name, "."), true)
}

func splitPort(authority string, port int) (string, int, bool) {
	name, written, found := cutPort(authority)
	if !found {
		return name, port, true
	}
	port, _ = strconv.Atoi(written)
	return name, port, validPort(written)
}

// validService says whether SRV records can have this name: _service._proto.name
// (RFC 2782).
func validService(name string) bool {
	service, rest, _ := strings.Cut(name, ".")
	proto, host, _ := strings.Cut(rest, ".")
	return underscored(service) && underscored(proto) && host != "" && domain(strings.TrimSuffix(name, "."), true)
}

func underscored(label string) bool { return len(label) > 1 && label[0] == '_' }

// likelyBackend takes off what a backend can't have and adds its scheme.
func likelyBackend(written string) string {
	scheme, rest, found := strings.Cut(written, "://")
	if !found {
		scheme, rest = "http", written
	}
	rest, _, _ = strings.Cut(rest, "/")
	for _, likely := range likelyBackends(likelyScheme(scheme), rest) {
		if _, ok := parseBackend(likely); ok {
			return likely
		}
	}
	return ""
}

// likelyBackends returns what can be meant, the likeliest first: the records of
// a service have the port, the name of a host is none of a service, and an
// address is known without a question.
func likelyBackends(scheme, authority string) []string {
	portless, _, _ := cutPort(authority)
	b, _ := parseScheme(scheme)
	likely := []string{scheme + "://" + authority}
	if b.Discovery != Static {
		likely = append(likely, "srv+"+b.Scheme+"://"+portless)
	}
	if b.Discovery != Static && !underscored(authority) {
		likely = append(likely, "dns+"+b.Scheme+"://"+authority, b.Scheme+"://"+authority)
	}
	return likely
}

// likelyScheme knows what people write for the schemes.
func likelyScheme(scheme string) string {
	scheme = lower(scheme)
	first, second, _ := strings.Cut(scheme, "+")
	for _, likely := range []string{scheme, second + "+" + first, scheme + "+http"} {
		if _, ok := parseScheme(likely); ok {
			return likely
		}
	}
	return "http"
}
