package wire

import (
	"bytes"
	"net/netip"
)

// ValidHost reports whether b is uri-host [ ":" port ] (RFC 9110 section 7.2)
// in the one spelling that is accepted: a registered name of letters, digits,
// "-" and ".", or an IPv6 address in brackets; a port from 0 to 65535.
func ValidHost(b []byte) bool {
	name, port, ok := SplitHost(b)
	if !ok || len(port) > 5 {
		return false
	}
	if n, ok := Number(port); len(port) > 0 && (!ok || n > 65535) {
		return false
	}
	if name[0] == '[' {
		return validIPv6(name[1 : len(name)-1])
	}
	return len(name) <= 255 && madeOf(name, hostByte)
}

// SplitHost cuts an authority into host, with its brackets, and port, which may
// be empty. ok is false when there is no host, a bracket is open, or a colon
// has no port behind it.
func SplitHost(b []byte) (name, port []byte, ok bool) {
	end := bytes.IndexByte(b, ':')
	if len(b) > 0 && b[0] == '[' {
		end = bytes.IndexByte(b, ']') + 1
		if end == 0 || end < len(b) && b[end] != ':' {
			return nil, nil, false
		}
	}
	if end < 0 || end == len(b) {
		return b, nil, len(b) > 0
	}
	return b[:end], b[end+1:], end > 0 && end+1 < len(b)
}

// validIPv6 parses for the yes or no only. It is rare, so it may allocate.
func validIPv6(b []byte) bool {
	addr, err := netip.ParseAddr(string(b))
	return err == nil && addr.Is6() && addr.Zone() == ""
}
