package tlsconf

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// unstarted is what manages certificates, without anything that runs but a cache.
func unstarted(t *testing.T, settings configs.TLS) (*managed, *log) {
	t.Helper()
	l := &log{}
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	k.managed.adviser = noAdvice()
	k.managed.cache = idleCache(t)
	return k.managed, l
}

// idleCache is a cache of certmagic that renews nothing.
func idleCache(t *testing.T) *certmagic.Cache {
	t.Helper()
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return nil, nil }, Logger: newZap(zerolog.Nop()),
	})
	t.Cleanup(cache.Stop)
	return cache
}

// asked returns those who are asked, in order.
func (m *managed) asked(t *testing.T) (list []*certmagic.ACMEIssuer) {
	t.Helper()
	for _, i := range m.config(false).Issuers {
		issuer, ok := i.(*certmagic.ACMEIssuer)
		require.True(t, ok)
		list = append(list, issuer)
	}
	return list
}

func TestAuthoritiesGetWhatIsSet(t *testing.T) {
	root, folder, settings := newRoot(t), t.TempDir(), ordered(t.TempDir())
	put(t, filepath.Join(folder, "roots.pem"), certificatePEM(root.cert))
	settings.ACME.Directory, settings.ACME.Profile, settings.ACME.PreferredChain = configs.LetsEncrypt, "shortlived", "Root X2"
	settings.ACME.Fallback = []configs.Authority{
		{Directory: "https://ca.example.com/dir", CA: filepath.Join(folder, "roots.pem"), EAB: configs.EAB{KeyID: "k", HMACKey: "aGFsbG8"}},
	}
	m, _ := unstarted(t, settings)
	all := m.asked(t)
	require.Len(t, all, 2)

	first, second := all[0], all[1]
	assert.Equal(t, certmagic.LetsEncryptProductionCA, first.CA)
	assert.Equal(t, certmagic.LetsEncryptStagingCA, first.TestCA, "after a failure staging comes first")
	assert.Equal(t, "shortlived", first.Profile)
	assert.Equal(t, []string{"Root X2"}, first.PreferredChains.RootCommonName)
	assert.Nil(t, first.ExternalAccount)
	assert.Nil(t, first.TrustedRoots, "those of the system")

	assert.Equal(t, "https://ca.example.com/dir", second.CA)
	assert.Empty(t, second.TestCA)
	assert.Empty(t, second.Profile)
	assert.Equal(t, &acme.EAB{KeyID: "k", MACKey: "aGFsbG8"}, second.ExternalAccount)
	assert.True(t, second.TrustedRoots.Equal(root.pool()))
	for _, issuer := range all {
		assert.Equal(t, "ops@example.com", issuer.Email)
		assert.True(t, issuer.Agreed, "nobody is there to be asked")
		assert.Equal(t, 1080, issuer.AltHTTPPort)
		assert.Equal(t, 1443, issuer.AltTLSALPNPort)
		assert.Nil(t, issuer.DNS01Solver)
	}

	settings.ACME.Challenges = []configs.Challenge{configs.TLSALPN01}
	m, _ = unstarted(t, settings)
	assert.True(t, m.asked(t)[0].DisableHTTPChallenge)
	assert.False(t, m.asked(t)[0].DisableTLSALPNChallenge)
}

func TestACAFileThatCannotBeReadIsAMistake(t *testing.T) {
	settings := ordered(t.TempDir())
	settings.ACME.CA = filepath.Join(t.TempDir(), "gone.pem")
	_, err := New(settings, listening("a.example.com"), zerolog.Nop())
	require.ErrorContains(t, err, "tls.acme: authority https://127.0.0.1:1/dir: CA "+settings.ACME.CA+": no such file")
	put(t, settings.ACME.CA, []byte("none"))
	_, err = New(settings, listening("a.example.com"), zerolog.Nop())
	require.ErrorContains(t, err, "holds no PEM block CERTIFICATE")
}

// A gate that is stopped while it orders says nothing against the host: the next one
// orders at once.
func TestAnOrderThatTheEndOfTheGateBreaksOffIsNoFailure(t *testing.T) {
	m, _ := unstarted(t, ordered(t.TempDir()))
	ctx, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, m.event(ctx, "cert_failed", map[string]any{"identifier": "a.example.com", "error": context.Canceled}))
	require.NoError(t, m.event(t.Context(), "cert_obtaining", map[string]any{"identifier": "a.example.com"}))
	assert.Zero(t, m.lastOrder("a.example.com").Failures)
}

// RFC 9773 section 5: an order that says that it replaces a certificate which another has
// replaced is refused, however often it is made.
func TestAConflictOverWhatIsReplacedIsNoEnd(t *testing.T) {
	m, l := unstarted(t, ordered(t.TempDir()))
	conflict := fmt.Errorf("renew: %w", acme.Problem{Type: "urn:ietf:params:acme:error:alreadyReplaced", Status: 409})
	require.NoError(t, m.event(t.Context(), "cert_failed", map[string]any{"identifier": "a.example.com", "error": conflict}))
	require.Len(t, m.again, 1)
	assert.Equal(t, "a.example.com", <-m.again)
	assert.Contains(t, l.String(), "without word of the one that it replaces")

	require.NoError(t, m.event(t.Context(), "cert_failed", map[string]any{"identifier": "a.example.com", "error": conflict}))
	assert.Empty(t, m.again, "once: an authority that refuses this as well has another reason")
}

func TestEventsAreKeptInTheBook(t *testing.T) {
	m, _ := unstarted(t, ordered(t.TempDir()))
	of := map[string]any{"identifier": "a.example.com", "error": errors.New("no")}
	require.NoError(t, m.event(t.Context(), "cert_obtaining", of))
	require.NoError(t, m.event(t.Context(), "cert_failed", of))
	assert.Empty(t, m.again)
	require.Error(t, m.event(t.Context(), "cert_obtaining", of), "not before its time")
	require.NoError(t, m.event(t.Context(), "cert_obtained", of))
	require.NoError(t, m.event(t.Context(), "cert_obtaining", of))
	assert.Equal(t, "a.example.com", <-m.obtained)
	require.NoError(t, m.event(t.Context(), "tls_get_certificate", nil))
	require.NoError(t, m.event(t.Context(), "cert_failed", map[string]any{"identifier": "a.example.com"}))
}
