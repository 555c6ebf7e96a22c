package tlsconf

import (
	"github.com/caddyserver/certmagic"
	"github.com/libdns/rfc2136"

	"github.com/trackgate/trackgate/configs"
)

// newUpdates speaks to a server for dynamic updates (RFC 2136), signed by TSIG (RFC 8945).
func newUpdates(d configs.ChallengeDNS) certmagic.DNSProvider {
	u := d.RFC2136
	return &rfc2136.Provider{Server: u.Server, KeyName: u.KeyName, KeyAlg: u.KeyAlgorithm, Key: u.Key}
}
