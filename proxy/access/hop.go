package access

import (
	"bytes"
	"net/netip"
)

// parseHop reads an address as proxies write it: bare, with a port, or in
// brackets with or without one. netip.ParseAddr is not used because it
// allocates for what it refuses, and what it is given here clients choose.
func parseHop(s []byte) (netip.Addr, bool) {
	if len(s) > 0 && s[0] == '[' {
		return parseBrackets(s[1:])
	}
	host, port, one := cutAt(s, ':')
	if one && bytes.IndexByte(port, ':') >= 0 {
		return parseIPv6(s)
	}
	addr, ok := parseIPv4(host)
	return netip.AddrFrom4(addr), ok && (!one || isPort(port))
}

// parseBrackets reads what follows an opening bracket.
func parseBrackets(s []byte) (netip.Addr, bool) {
	host, rest, closed := cutAt(s, ']')
	addr, ok := parseIPv6(host)
	if !ok || !closed {
		return netip.Addr{}, false
	}
	return addr, len(rest) == 0 || rest[0] == ':' && isPort(rest[1:])
}

// isPort says whether s is a number up to 65535.
func isPort(s []byte) bool {
	_, ok := decimal(s, 5, 65535)
	return ok
}

// decimal reads a plain number of at most so many digits.
func decimal(s []byte, digits, limit int) (n int, ok bool) {
	if len(s) == 0 || len(s) > digits {
		return 0, false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n <= limit
}

// parseIPv4 reads four decimal numbers. Leading zeros are refused: some take
// them for octal.
func parseIPv4(s []byte) (addr [4]byte, ok bool) {
	more := true
	for i := range addr {
		var part []byte
		if !more {
			return addr, false
		}
		part, s, more = cutAt(s, '.')
		n, ok := decimal(part, 3, 255)
		if !ok || len(part) > 1 && part[0] == '0' {
			return addr, false
		}
		addr[i] = byte(n)
	}
	return addr, !more
}

// cutAt is bytes.Cut at one byte.
func cutAt(s []byte, sep byte) (before, after []byte, found bool) {
	at := bytes.IndexByte(s, sep)
	if at < 0 {
		return s, nil, false
	}
	return s[:at], s[at+1:], true
}

// parseIPv6 reads the forms of RFC 4291, section 2.2, without a zone: the
// zone of another machine means nothing here.
func parseIPv6(s []byte) (netip.Addr, bool) {
	var addr [16]byte
	at := bytes.Index(s, []byte("::"))
	if at < 0 {
		n, ok := parseGroups(s, &addr)
		return netip.AddrFrom16(addr).Unmap(), ok && n == 16
	}
	var tail [16]byte
	head, rest := s[:at], s[at+2:]
	n, ok := parseGroups(head, &addr)
	m, tailOK := parseGroups(rest, &tail)
	if !ok || !tailOK || n+m > 14 || bytes.IndexByte(head, '.') >= 0 {
		return netip.Addr{}, false
	}
	copy(addr[16-m:], tail[:m])
	return netip.AddrFrom16(addr).Unmap(), true
}

// parseGroups reads groups of hexadecimal digits between colons, the last of
// which may be an IPv4 address, and returns how many bytes they fill.
func parseGroups(s []byte, addr *[16]byte) (n int, ok bool) {
	for more := len(s) > 0; more; n += 2 {
		var group []byte
		if n == 16 {
			return 0, false
		}
		group, s, more = cutAt(s, ':')
		if last, ok := parseIPv4(group); ok && !more && n <= 12 {
			copy(addr[n:], last[:])
			return n + 4, true
		}
		if !hexadecimal(group, addr[n:n+2]) {
			return 0, false
		}
	}
	return n, true
}

// hexadecimal reads one to four digits into two bytes.
func hexadecimal(s, into []byte) bool {
	if len(s) == 0 || len(s) > 4 {
		return false
	}
	v := 0
	for _, c := range s {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		if digit < 0 || c < '0' {
			return false
		}
		v = v<<4 | digit
	}
	into[0], into[1] = byte(v>>8), byte(v)
	return true
}
