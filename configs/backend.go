package configs

import (
	"net/netip"
	"strconv"
	"strings"
)

// backends compiles the backends of a pool, none of which may be there twice.
func (c compiler) backends(key string, drafts []draftBackend) []Backend {
	if len(drafts) == 0 {
		c.wrong(key, "at least one backend", "")
	}
	backends := make([]Backend, len(drafts))
	first := make(map[Backend]int, len(drafts))
	weights := 0
	for i, d := range drafts {
		at := index(key, i)
		if n := c.nodes[at]; n != nil && n.shape == section {
			at += ".url"
		}
		b := c.backend(at, d.URL)
		if j, again := first[b]; again {
			c.wrong(at, "each backend once ("+index(key, j)+" is the same)", "")
		}
		first[b] = i
		b.Weight = c.weight(index(key, i)+".weight", d.Weight)
		weights = min(weights+max(b.Weight, 0), maxWeight)
		backends[i] = b
	}
	if weights == 0 {
		c.wrong(key, "at least one backend with a weight above 0", "")
	}
	return backends
}

func (c compiler) weight(key string, written *int) int {
	if written == nil {
		return 1
	}
	between(c, key, *written, 0, maxWeight)
	return *written
}

// backend reads a backend's URL. Where it is none, the mistake is noted.
func (c compiler) backend(key, written string) Backend {
	scheme, authority, _ := strings.Cut(written, "://")
	host, port, ok := parseAuthority(authority)
	switch scheme {
	case "https", "dns+http", "srv+http", "dns+https", "srv+https":
		c.wrong(key, "http://host:port ("+scheme+"://"+later+")", "")
	default:
		if !ok || scheme != "http" {
			c.wrong(key, "http://host:port without user, path or query", likelyBackend(written))
		}
	}
	return Backend{Scheme: scheme, Host: host, Port: port}
}

// parseAuthority reads the host of a backend, in lower case and without
// brackets, and its port.
func parseAuthority(authority string) (host string, port int, ok bool) {
	name, written, withPort := cutPort(authority)
	port = 80
	if withPort {
		port, _ = strconv.Atoi(written)
	}
	if withPort && !validPort(written) || strings.Contains(name, ":") && unbracketed(name) == "" {
		return "", 0, false
	}
	host = lower(unbracket(name))
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String(), port, addr.Zone() == "" && !addr.IsUnspecified()
	}
	return host, port, domain(host, true)
}

// likelyBackend takes off what a backend can't have and adds its scheme.
func likelyBackend(written string) string {
	_, rest, found := strings.Cut(written, "://")
	if !found {
		rest = written
	}
	rest, _, _ = strings.Cut(rest, "/")
	if _, _, ok := parseAuthority(rest); !ok {
		return ""
	}
	return "http://" + rest
}
