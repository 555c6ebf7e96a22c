package tlsconf

import (
	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// dnsProviders are who may serve the zones of hosts. Another one is a file like
// dns_cloudflare.go and a line here.
func dnsProviders() map[configs.DNSProvider]func(configs.ChallengeDNS) certmagic.DNSProvider {
	return map[configs.DNSProvider]func(configs.ChallengeDNS) certmagic.DNSProvider{
		configs.RFC2136:    newUpdates,
		configs.Cloudflare: newCloudflare,
		configs.Route53:    newRoute53,
	}
}

// dnsSolver returns who puts records into zones (dns-01, RFC 8555 section 8.4), nil where
// that is not the way.
func dnsSolver(settings configs.ChallengeDNS, log zerolog.Logger) acmez.Solver {
	provider := dnsProviders()[settings.Provider]
	if provider == nil {
		return nil
	}
	return &certmagic.DNS01Solver{DNSManager: certmagic.DNSManager{
		DNSProvider: provider(settings), PropagationTimeout: settings.Propagation, Resolvers: settings.Resolvers, Logger: newZap(log),
	}}
}
