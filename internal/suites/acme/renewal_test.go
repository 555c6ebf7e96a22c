//go:build suites

package acme

import (
	"crypto/x509"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shaken is what came of many handshakes.
type shaken struct {
	failed []error
	seen   []sighting // each certificate, when it was first shown
}

type sighting struct {
	cert *x509.Certificate
	at   time.Time
}

// keepShaking does one handshake after the other until stop is closed.
func (g *gate) keepShaking(host string, roots *x509.CertPool, stop <-chan struct{}) (s shaken) {
	for {
		select {
		case <-stop:
			return s
		case <-time.After(5 * time.Millisecond):
		}
		cert, err := g.shake(host, roots)
		if err != nil {
			s.failed = append(s.failed, err)
			continue
		}
		if n := len(s.seen); n == 0 || !s.seen[n-1].cert.Equal(cert) {
			s.seen = append(s.seen, sighting{cert, time.Now()})
		}
	}
}

// underLoad lets clients come all the time while something is done.
func (g *gate) underLoad(t *testing.T, host string, roots *x509.CertPool, do func()) []shaken {
	t.Helper()
	stop, all := make(chan struct{}), make([]shaken, 3)
	var clients sync.WaitGroup
	for i := range all {
		clients.Go(func() { all[i] = g.keepShaking(host, roots, stop) })
	}
	do()
	close(stop)
	clients.Wait()
	for _, s := range all {
		assert.Empty(t, s.failed, "handshakes that failed")
	}
	return all
}

// A certificate of 40 seconds is due after 27, or sooner if its authority says so (ARI).
func TestCertificatesAreRenewedUnderLoad(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure, lifetime: 40, badNonces: 20}).start(t)
	g.start(t, of(a)...)
	roots := a.roots(t)
	first := g.awaits(t, track, roots)
	all := g.underLoad(t, track, roots, func() {
		require.Eventually(t, func() bool {
			cert, err := g.shake(track, roots)
			return err == nil && !cert.Equal(first)
		}, 45*time.Second, 50*time.Millisecond, "the certificate is not renewed")
		<-time.After(time.Second)
	})
	for _, s := range all {
		require.Len(t, s.seen, 2, "the old one, and then the new one")
		// Pebble has certificates begin when they are signed, in whole seconds.
		assert.Less(t, s.seen[1].at.Sub(s.seen[1].cert.NotBefore), 5*time.Second, "from its making to its first use")
	}
}

func TestARenewalOnRequest(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	g.start(t, of(a)...)
	roots := a.roots(t)
	first := g.awaits(t, track, roots)
	output, err := exec.Command(binary(t, "trackgate"), "certs", "renew", "-c", g.file, track).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Eventually(t, func() bool {
		cert, err := g.shake(track, roots)
		return err == nil && !cert.Equal(first)
	}, patience, 100*time.Millisecond)
	output, err = exec.Command(binary(t, "trackgate"), "certs", "-c", g.file).CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.Regexp(t, `track.example.com +\d{4}-\d\d-\d\d +\d+\.\d +\d{4}-\d\d-\d\d +acme: https://127.0.0.1:\d+/dir +Pebble Intermediate`, string(output))
}

// The gate is there at once, says what is missing and why, and does not order again and
// again, not even when it is restarted.
func TestAnAuthorityThatIsDownAtTheStart(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure})
	began := time.Now()
	g.start(t, of(a)...)
	assert.Less(t, time.Since(began), 2*time.Second)
	_, err := g.shake(track, nil)
	assert.True(t, unrecognized(err), "%v", err)
	assert.JSONEq(t, `{"status": "ready", "missing_certificates": ["track.example.com"]}`, g.page(t, "/readyz"))
	require.Eventually(t, func() bool {
		states := g.states(t)
		return len(states) == 1 && states[0].Order.Failures == 1
	}, patience, 100*time.Millisecond)
	assert.Contains(t, g.states(t)[0].Order.Error, "connection refused")

	g.stop(t)
	a.start(t)
	g.start(t, of(a)...)
	roots := a.roots(t)
	_, err = g.shake(track, roots)
	assert.True(t, unrecognized(err), "its turn has not come")
	require.Eventually(t, func() bool {
		_, err := g.shake(track, roots)
		return err == nil
	}, 100*time.Second, time.Second, "it comes by itself")
}

// Who has mended what was wrong need not wait for the next turn.
func TestAFirstOrderThatFailedComesOnRequest(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure})
	g.start(t, of(a)...)
	require.Eventually(t, func() bool { return g.states(t)[0].Order.Failures == 1 }, patience, 100*time.Millisecond)
	failed := time.Now()
	a.start(t)
	output, err := exec.Command(binary(t, "trackgate"), "certs", "renew", "-c", g.file, track).CombinedOutput()
	require.NoError(t, err, "%s", output)
	g.awaits(t, track, a.roots(t))
	assert.Less(t, time.Since(failed), 30*time.Second, "by itself it would come after 55")
}

// What an authority finds wrong is said in words that help.
func TestAHostThatIsElsewhere(t *testing.T) {
	t.Parallel()
	g := newGate(t, track)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.2"), plain: g.plain, secure: g.secure}).start(t)
	g.start(t, of(a)...)
	require.Eventually(t, func() bool { return g.states(t)[0].Order.Failures == 1 }, patience, 100*time.Millisecond)
	assert.Contains(t, g.states(t)[0].Order.Error, "127.0.0.2")
}
