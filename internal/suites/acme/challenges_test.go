//go:build suites

package acme

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	track = "track.example.com"
	shop  = "shop.example.com"
)

func TestCertificatesComeByEachChallenge(t *testing.T) {
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, track, shop)
			a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure, badNonces: 20}).start(t)
			g.start(t, of(a, "challenges: ["+challenge+"]")...)
			roots := a.roots(t)
			for _, host := range g.hosts {
				cert := g.awaits(t, host, roots)
				assert.Equal(t, []string{host}, cert.DNSNames, "one name each")
				assert.Equal(t, http.StatusOK, g.posts(t, host, roots))
			}
			_, err := g.shake("other.example.com", roots)
			assert.True(t, unrecognized(err), "nothing is ordered for a name that is not in the settings: %v", err)
		})
	}
}

// RFC 8738: an authority names an address by its name for reverse lookup.
func TestAnAddressGetsItsCertificateByEachChallenge(t *testing.T) {
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, "127.0.0.1")
			a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
			g.start(t, of(a, "challenges: ["+challenge+"]")...)
			cert := g.awaits(t, "127.0.0.1", a.roots(t))
			assert.Len(t, cert.IPAddresses, 1)
		})
	}
}

// Nothing but what is pending is answered, and what has been answered is gone.
func TestChallengesAreNotAnsweredToOthers(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	g.start(t, of(a, "challenges: [http-01]")...)
	g.awaits(t, track, a.roots(t))
	for _, host := range []string{track, "other.example.com"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.plain+"/.well-known/acme-challenge/token", nil)
		require.NoError(t, err)
		request.Host = host
		answer, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		answer.Body.Close()
		assert.NotEqual(t, http.StatusOK, answer.StatusCode)
	}
}

func TestAnAccountThatWasOpenedElsewhere(t *testing.T) {
	t.Parallel()
	const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	g := newGate(t, track)
	a := newAuthority(t, rules{
		names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure, accounts: map[string]string{"kid-1": key},
	}).start(t)
	g.start(t, of(a, "eab: {key_id: kid-1, hmac_key: "+key+"}")...)
	g.awaits(t, track, a.roots(t))
}

func TestTheNextAuthorityIsAskedWhenTheFirstIsDown(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	names := newNames(t, "127.0.0.1")
	down := newAuthority(t, rules{})
	second := newAuthority(t, rules{names: names, plain: g.plain, secure: g.secure}).start(t)
	g.start(t, of(down, "fallback: [{directory: "+second.directory()+", ca: "+second.trust+"}]")...)
	g.awaits(t, track, second.roots(t))
}

func TestARestartOrdersNothing(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	g.start(t, of(a)...)
	roots := a.roots(t)
	before := g.awaits(t, track, roots)
	g.stop(t)
	a.process.Stop() // it has no better end than a signal
	g.start(t, of(a)...)
	after, err := g.shake(track, roots)
	require.NoError(t, err, "at once, and with nobody to ask")
	assert.Equal(t, before.SerialNumber, after.SerialNumber)
}
