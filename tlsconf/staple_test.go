package tlsconf

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"
)

func TestAnswersOfOCSPAreShownToClients(t *testing.T) {
	o, k, l := consulted(t)
	held := k.managed.held["a.example.com"].cert
	require.NotEmpty(t, shown(t, k))
	g := serve(t, &gate{keeper: k, log: l, root: o.issuer}, listening("a.example.com")[:1])
	answer, err := ocsp.ParseResponseForCert(g.ok(t, g.client("a.example.com")).OCSPResponse, held.Leaf, o.issuer.cert)
	require.NoError(t, err)
	assert.Equal(t, ocsp.Good, answer.Status)
	assert.Empty(t, held.OCSPStaple, "what handshakes may be using is left alone")
	assert.False(t, k.managed.staple(), "once for each answer")
}

// A certificate that was shown as good is no longer when it is revoked, and a new one is
// ordered, in the pace of orders that fail.
func TestWhatIsRevokedIsOrderedAnew(t *testing.T) {
	o, k, l := consulted(t)
	m := k.managed
	require.NotEmpty(t, shown(t, k))
	m.open()
	m.book.now = func() time.Time { return o.clock }
	o.answer.Status = ocsp.Revoked
	o.clock = o.clock.Add(askAgain)
	assert.Empty(t, shown(t, k))
	assert.Contains(t, l.String(), "certificate is revoked, a new one is ordered")
	assert.Equal(t, 1, m.book.of("a.example.com").Failures, "nobody is there to sign")
	assert.Empty(t, k.Missing(), "the old one is shown meanwhile")
	shown(t, k)
	assert.Equal(t, 1, strings.Count(l.String(), "a new one is ordered"), "its turn has not come")
	o.clock = o.clock.Add(patience(1))
	shown(t, k)
	assert.Equal(t, 2, m.book.of("a.example.com").Failures)
}

func TestWhatAnotherGateReplacedIsNotOrderedAgain(t *testing.T) {
	o, k, l := consulted(t)
	m := k.managed
	m.open()
	_, before := shownFor(k, "a.example.com")
	o.answer.Status = ocsp.Revoked
	o.deliver(t, "http://127.0.0.1:1")
	m.inquire(t.Context())
	m.clerk.wait()
	assert.Zero(t, m.book.of("a.example.com").Failures)
	assert.NotContains(t, l.String(), "ordered")
	require.NotEmpty(t, m.obtained)
	k.take(t.Context(), []string{<-m.obtained})
	_, after := shownFor(k, "a.example.com")
	assert.NotEqual(t, before, after)
	m.cares(t, "a.example.com", after)
}

// open lets orders be made, without anything that runs.
func (m *managed) open() {
	m.plain = m.config(true)
	m.ordering.Store(m.config(false))
}

// cares waits until certmagic looks after the certificate with this number alone.
func (m *managed) cares(t *testing.T, host, serial string) {
	t.Helper()
	require.Eventually(t, func() bool {
		found := m.cache.AllMatchingCertificates(host)
		return len(found) == 1 && found[0].Leaf.SerialNumber.String() == serial
	}, 10*time.Second, 10*time.Millisecond)
}

// It is not due, so nobody would look for another one until it is.
func TestWhatAnotherGateHadSignedOnRequestIsUsed(t *testing.T) {
	o, k, _ := consulted(t)
	m := k.managed
	m.open()
	_, before := shownFor(k, "a.example.com")
	m.follow(t.Context(), "a.example.com")
	m.cares(t, "a.example.com", before)
	o.deliver(t, "http://127.0.0.1:1")
	k.lookAround(t.Context())
	_, same := shownFor(k, "a.example.com")
	require.Equal(t, before, same)

	k.takeOver(t.Context())
	_, after := shownFor(k, "a.example.com")
	assert.NotEqual(t, before, after)
	m.cares(t, "a.example.com", after)
}
