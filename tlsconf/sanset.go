package tlsconf

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"github.com/trackgate/trackgate/configs"
)

// sanSet is the names of which a client's certificate has to have one; an empty one
// is any. It never changes.
type sanSet map[configs.SAN]struct{}

func newSANSet(names []string) (sanSet, error) {
	set := sanSet{}
	for _, text := range names {
		name, ok := configs.ParseSAN(text)
		if !ok {
			return nil, fmt.Errorf("names: %q is no subject alternative name", text)
		}
		set[name] = struct{}{}
	}
	return set, nil
}

// admits reports whether one of the certificate's subject alternative names is in the
// set. The common name is none (RFC 9525, 2).
func (s sanSet) admits(cert *x509.Certificate) bool {
	if len(s) == 0 {
		return true
	}
	for _, host := range cert.DNSNames {
		if s.admitsHost(host) {
			return true
		}
	}
	for _, address := range cert.EmailAddresses {
		if s.has(configs.EmailSAN(address)) {
			return true
		}
	}
	for _, uri := range cert.URIs {
		if s.has(configs.SAN{Kind: configs.URIName, Value: uri.String()}) {
			return true
		}
	}
	for _, ip := range cert.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok && s.has(configs.SAN{Kind: configs.IPName, Value: addr.Unmap().String()}) {
			return true
		}
	}
	return false
}

// admitsHost matches a name as a whole, or its first label with a wildcard of ours. A
// wildcard in the certificate is for many clients and names none.
func (s sanSet) admitsHost(host string) bool {
	name := configs.DNSSAN(host)
	label, rest, dotted := strings.Cut(name.Value, ".")
	if label == "" || strings.Contains(name.Value, "*") {
		return false
	}
	return s.has(name) || dotted && s.has(configs.DNSSAN("*."+rest))
}

func (s sanSet) has(name configs.SAN) bool {
	_, ok := s[name]
	return ok
}
