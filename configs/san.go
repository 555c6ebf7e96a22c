package configs

import (
	"net/netip"
	"net/url"
	"strings"
)

// SAN is a subject alternative name (RFC 5280, 4.2.1.6). Two of the same kind and
// value are the same name; values of different kinds never are.
type SAN struct {
	Kind  SANKind
	Value string
}

// SANKind says what sort of name it is.
type SANKind string

// The kinds. The others that X.509 knows are not looked at.
const (
	DNSName    SANKind = "dns"   // lower case; "*.example.com" is one label
	EmailName  SANKind = "email" // the part behind @ in lower case (RFC 5280, 7.5)
	IPName     SANKind = "ip"    // as netip prints it
	URIName    SANKind = "uri"
	longestSAN         = 2048
)

// ParseSAN reads a name as settings have it. Its kind follows from its look.
func ParseSAN(text string) (SAN, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return SAN{IPName, addr.Unmap().String()}, addr.Zone() == ""
	}
	switch local, host, isMail := strings.Cut(text, "@"); {
	case strings.Contains(text, "://"), strings.HasPrefix(text, "urn:"):
		return SAN{URIName, text}, plainURI(text)
	case isMail:
		return EmailSAN(text), plainLocal(local) && domain(lower(host), false)
	default:
		return SAN{DNSName, lower(text)}, domain(strings.TrimPrefix(lower(text), "*."), true)
	}
}

// EmailSAN returns the name of an e-mail address: its host in lower case.
func EmailSAN(address string) SAN {
	at := strings.LastIndexByte(address, '@') + 1
	return SAN{EmailName, address[:at] + lower(address[at:])}
}

// DNSSAN returns the name of a host, which is not checked.
func DNSSAN(host string) SAN { return SAN{DNSName, lower(host)} }

// plainURI reports whether a URI has one spelling, and says who is meant.
func plainURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= longestSAN && u.String() == text && (u.Host != "" || u.Opaque != "") && u.User == nil
}

func plainLocal(local string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r) }
	return local != "" && len(local) <= 64 && !strings.ContainsFunc(local, odd)
}
