//go:build suites

package acme

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// What could not be ordered when the gate was started is ordered when Redis is there, and
// no later restart is needed.
func TestARedisThatIsStartedLate(t *testing.T) {
	t.Parallel()
	at := program.FreeAddress(t)
	one, two := newGate(t, track), newGate(t, track)
	one.tls, two.tls = redisOf(at), redisOf(at)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: one.plain, secure: one.secure}).start(t)
	roots := a.roots(t)
	one.start(t, of(a)...)
	assert.JSONEq(t, `{"status": "ready", "missing_certificates": ["track.example.com"]}`, one.page(t, "/readyz"))
	_, err := one.shake(track, roots)
	require.True(t, unrecognized(err), "%v", err)
	<-time.After(2 * time.Second) // what is done at the start has been done
	assert.Zero(t, a.issued(t), "nothing is ordered that could not be kept")

	newRedis(t, at)
	began := time.Now()
	cert := one.awaits(t, track, roots)
	t.Logf("the certificate is there %s after Redis", time.Since(began).Round(100*time.Millisecond))
	assert.Contains(t, redisSays(t, at, "KEYS", "trackgate:value/certificates/*"), track+".bundle")
	two.start(t, of(a)...)
	same, err := two.shake(track, roots)
	require.NoError(t, err, "at once")
	assert.Equal(t, cert.SerialNumber, same.SerialNumber)
	require.Eventually(t, func() bool { return two.resumes(t, one, track, roots, tls.VersionTLS13) }, patience, time.Second,
		"the keys of tickets are shared as well")
	assert.Equal(t, 1, a.issued(t))
}

// silence listens on an address, takes all who come and says nothing.
func silence(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
}

// A start waits for it once, and not for each host and listener.
func TestARedisThatNeverAnswers(t *testing.T) {
	t.Parallel()
	at := program.FreeAddress(t)
	server := newRedis(t, at)
	g := newGate(t, sixHosts()...)
	host := g.hosts[0]
	g.tls = redisOf(at)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	began := time.Now()
	g.start(t, of(a)...)
	usual := time.Since(began)
	roots := a.roots(t)
	for _, h := range g.hosts {
		g.awaits(t, h, roots)
	}
	cert := g.awaits(t, host, roots)
	g.stop(t)
	require.NoError(t, server.Stop())
	silence(t, at)

	began = time.Now()
	g.start(t, of(a)...)
	took := time.Since(began)
	t.Logf("a start takes %s, with a Redis that is silent %s", usual.Round(10*time.Millisecond), took.Round(10*time.Millisecond))
	assert.Less(t, took, usual+3*time.Second)
	for _, s := range g.underLoad(t, host, roots, func() { <-time.After(20 * time.Second) }) { // it looks there each 15 s
		require.Len(t, s.seen, 1)
		assert.Equal(t, cert.SerialNumber, s.seen[0].cert.SerialNumber, "from its copy")
	}
	assert.Equal(t, http.StatusOK, g.posts(t, host, roots))
	began = time.Now()
	g.stop(t)
	assert.Less(t, time.Since(began), 10*time.Second, "nor does its end wait")
}
