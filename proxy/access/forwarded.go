package access

import (
	"bytes"
	"net/netip"
)

// maxHops bounds how many proxies one request is believed to have passed.
const maxHops = 64

// Forwarded finds clients behind trusted proxies.
type Forwarded struct {
	trusted Ranges
}

// NewForwarded returns a Forwarded that believes what these proxies say.
func NewForwarded(trusted Ranges) Forwarded { return Forwarded{trusted} }

// Client returns the address of the client behind a connection from peer.
// Values are those of the request's X-Forwarded-For fields in the order they
// came.
//
// Each proxy appends whom it heard from, so only what trusted proxies wrote is
// true: the list is walked from its right end to the first address that is not
// one of them. What stands left of it the client may have made up. At an entry
// that is no address the walk stops too, and the client is the last proxy
// before it.
func (f Forwarded) Client(peer netip.Addr, values [][]byte) netip.Addr {
	client := peer.Unmap()
	if len(values) == 0 || !f.trusted.Contains(client) {
		return client
	}
	left := maxHops
	for i := len(values) - 1; i >= 0 && left > 0; i-- {
		var done bool
		if client, done = f.walk(client, values[i], &left); done {
			return client
		}
	}
	return client
}

// walk goes through one field from right to left, starting at a trusted proxy.
// Done means that the client is found.
func (f Forwarded) walk(client netip.Addr, value []byte, left *int) (found netip.Addr, done bool) {
	for more := true; more && *left > 0; {
		var entry []byte
		value, entry, more = cutLast(value)
		if len(entry) == 0 {
			continue // RFC 9110, section 5.6.1.2: empty elements do not count
		}
		hop, ok := parseHop(entry)
		if !ok {
			return client, true
		}
		client = hop
		if !f.trusted.Contains(client) {
			return client, true
		}
		*left--
	}
	return client, false
}

// cutLast splits the last element off a list.
func cutLast(list []byte) (rest, last []byte, more bool) {
	at := bytes.LastIndexByte(list, ',')
	if at < 0 {
		return nil, bytes.Trim(list, " \t"), false
	}
	return list[:at], bytes.Trim(list[at+1:], " \t"), true
}
