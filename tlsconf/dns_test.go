package tlsconf

import (
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/cloudflare"
	"github.com/libdns/rfc2136"
	"github.com/libdns/route53"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestProvidersGetWhatIsSet(t *testing.T) {
	all := configs.ChallengeDNS{
		RFC2136:    configs.Updates{Server: "10.0.0.2:53", KeyName: "k.", KeyAlgorithm: configs.HMACSHA256, Key: "aGFsbG8="},
		Cloudflare: configs.Token{APIToken: "t"},
		Route53:    configs.AccessKey{ID: "i", Secret: "s", Region: "eu-west-1"},
		Resolvers:  []string{"10.0.0.3:53"}, Propagation: time.Minute,
	}
	for provider, want := range map[configs.DNSProvider]certmagic.DNSProvider{
		configs.RFC2136:    &rfc2136.Provider{Server: "10.0.0.2:53", KeyName: "k.", KeyAlg: "hmac-sha256", Key: "aGFsbG8="},
		configs.Cloudflare: &cloudflare.Provider{APIToken: "t"},
		configs.Route53:    &route53.Provider{AccessKeyId: "i", SecretAccessKey: "s", Region: "eu-west-1"},
	} {
		all.Provider = provider
		solver, ok := dnsSolver(all, zerolog.Nop()).(*certmagic.DNS01Solver)
		require.True(t, ok)
		assert.Equal(t, want, solver.DNSProvider)
		assert.Equal(t, []string{"10.0.0.3:53"}, solver.Resolvers)
		assert.Equal(t, time.Minute, solver.PropagationTimeout)
	}
	all.Provider = ""
	assert.Nil(t, dnsSolver(all, zerolog.Nop()))
}
