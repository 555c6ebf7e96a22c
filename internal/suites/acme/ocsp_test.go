//go:build suites

package acme

import (
	"crypto/x509"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"github.com/trackgate/trackgate/internal/program"
)

// newStapling has a gate and an authority whose certificates name a responder.
func newStapling(t *testing.T, url string, r *responder) (*gate, *authority) {
	t.Helper()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure, responder: url}).start(t)
	if r != nil {
		r.behind.Store(a)
	}
	return g.start(t, of(a)...), a
}

// awaitsStaple returns what clients are told of the certificate that they get, once they are.
func (g *gate) awaitsStaple(t *testing.T, host string, a *authority) (*x509.Certificate, *ocsp.Response) {
	t.Helper()
	roots := a.roots(t)
	issuer, _ := a.intermediate(t)
	var cert *x509.Certificate
	var answer *ocsp.Response
	require.Eventually(t, func() bool {
		state, err := g.meet(host, roots)
		if err != nil || len(state.OCSPResponse) == 0 {
			return false
		}
		cert = state.PeerCertificates[0]
		answer, err = ocsp.ParseResponseForCert(state.OCSPResponse, cert, issuer)
		return assert.NoError(t, err)
	}, patience, 100*time.Millisecond, "no staple")
	return cert, answer
}

func TestClientsAreToldThatTheCertificateIsGood(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	g, a := newStapling(t, r.server.URL, r)
	cert, answer := g.awaitsStaple(t, track, a)
	assert.Equal(t, ocsp.Good, answer.Status)
	assert.Equal(t, cert.SerialNumber, answer.SerialNumber)
	assert.Greater(t, time.Until(answer.NextUpdate), 6*24*time.Hour)
	assert.Equal(t, int32(1), r.asked.Load(), "once for all clients")
	assert.Equal(t, http.StatusOK, g.posts(t, track, a.roots(t)))
}

// The new certificate has an answer of its own.
func TestARenewedCertificateIsStapledToo(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	g, a := newStapling(t, r.server.URL, r)
	first, _ := g.awaitsStaple(t, track, a)
	g.renewsUnderLoad(t, a.roots(t))
	second, answer := g.awaitsStaple(t, track, a)
	assert.NotEqual(t, first.SerialNumber, second.SerialNumber)
	assert.Equal(t, second.SerialNumber, answer.SerialNumber)
}

// A responder that is down keeps nobody out.
func TestAResponderThatIsDown(t *testing.T) {
	t.Parallel()
	g, a := newStapling(t, "http://"+program.FreeAddress(t), nil)
	g.doesWithoutStaples(t, a)
}

func (g *gate) doesWithoutStaples(t *testing.T, a *authority) {
	t.Helper()
	roots := a.roots(t)
	g.awaits(t, track, roots)
	g.renewsUnderLoad(t, roots)
	state, err := g.meet(track, roots)
	require.NoError(t, err)
	assert.Empty(t, state.OCSPResponse)
}

// One that takes questions and never answers does not keep the gate from its work either,
// nor from its end.
func TestAResponderThatHangs(t *testing.T) {
	t.Parallel()
	r, g := newResponder(t), newGate(t, track)
	a := newAuthority(t, rules{
		names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure, responder: r.server.URL, lifetime: 40,
	}).start(t)
	g.start(t, of(a)...)
	roots := a.roots(t)
	first := g.awaits(t, track, roots)
	g.underLoad(t, track, roots, func() { g.awaitsAnother(t, first, roots) })
	assert.NotZero(t, r.asked.Load())
	began := time.Now()
	g.stop(t)
	assert.Less(t, time.Since(began), 5*time.Second)
}

// awaitsAnother waits until another certificate is shown than before.
func (g *gate) awaitsAnother(t *testing.T, before *x509.Certificate, roots *x509.CertPool) {
	t.Helper()
	require.Eventually(t, func() bool {
		cert, err := g.shake(track, roots)
		return err == nil && !cert.Equal(before)
	}, patience, 50*time.Millisecond, "it is not renewed")
}

// renewsUnderLoad has the certificate renewed on request while clients come.
func (g *gate) renewsUnderLoad(t *testing.T, roots *x509.CertPool) {
	t.Helper()
	before, err := g.shake(track, roots)
	require.NoError(t, err, "at once")
	g.underLoad(t, track, roots, func() {
		output, err := exec.Command(binary(t, "trackgate"), "certs", "renew", "-c", g.file, track).CombinedOutput()
		require.NoError(t, err, "%s", output)
		g.awaitsAnother(t, before, roots)
	})
}

// The responder is asked each hour, and when a gate starts: what it said before is good
// for another week, and yet not taken for the truth.
func TestARevokedCertificateIsReplaced(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	g, a := newStapling(t, r.server.URL, r)
	first, _ := g.awaitsStaple(t, track, a)
	g.stop(t)
	a.revoke(t, g, first)
	g.start(t, of(a)...)
	roots := a.roots(t)
	all := g.underLoad(t, track, roots, func() { g.awaitsAnother(t, first, roots) })
	for _, s := range all {
		require.NotEmpty(t, s.seen)
		assert.LessOrEqual(t, len(s.seen), 2, "the old one at most, and then the new one")
	}
	second, answer := g.awaitsStaple(t, track, a)
	assert.NotEqual(t, first.PublicKey, second.PublicKey, "somebody may have the old key")
	assert.Equal(t, ocsp.Good, answer.Status)
	g.stop(t)
	g.start(t, of(a)...)
	third, _ := g.awaitsStaple(t, track, a)
	assert.Equal(t, second.SerialNumber, third.SerialNumber, "one new one is enough")
}

// Where certificates name no responder, as those of Let's Encrypt, the authority says that
// it is time to renew when the gate asks again (ARI).
func TestACertificateIsReplacedThatIsRevokedWithoutAResponder(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	g.start(t, "directory: "+newFront(t, a)+"/dir", "ca: "+a.trust)
	roots := a.roots(t)
	first := g.awaits(t, track, roots)
	a.revoke(t, g, first)
	all := g.underLoad(t, track, roots, func() { g.awaitsAnother(t, first, roots) })
	for _, s := range all {
		assert.LessOrEqual(t, len(s.seen), 2, "the old one, and then the new one")
	}
}
