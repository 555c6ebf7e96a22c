package tlsconf

import (
	"github.com/caddyserver/certmagic"
	"github.com/libdns/cloudflare"

	"github.com/trackgate/trackgate/configs"
)

func newCloudflare(d configs.ChallengeDNS) certmagic.DNSProvider {
	return &cloudflare.Provider{APIToken: d.Cloudflare.APIToken}
}
