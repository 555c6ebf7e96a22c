package tlsconf

import (
	"github.com/caddyserver/certmagic"
	"github.com/libdns/route53"

	"github.com/trackgate/trackgate/configs"
)

func newRoute53(d configs.ChallengeDNS) certmagic.DNSProvider {
	r := d.Route53
	return &route53.Provider{AccessKeyId: r.ID, SecretAccessKey: r.Secret, Region: r.Region}
}
