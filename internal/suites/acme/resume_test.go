//go:build suites

package acme

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// visit sends an event and reports whether it was in a session that was known. The tickets
// of TLS 1.3 come with the answer.
func (g *gate) visit(t *testing.T, config *tls.Config) (resumed bool) {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", g.secure, config)
	require.NoError(t, err)
	defer conn.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+config.ServerName+"/track", strings.NewReader(`{}`))
	require.NoError(t, err)
	request.Close = true
	require.NoError(t, request.Write(conn))
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 200 ")
	return conn.ConnectionState().DidResume
}

// newVisitor is a client of a host that speaks one version of TLS and remembers sessions.
func newVisitor(host string, roots *x509.CertPool, version uint16) *tls.Config {
	return &tls.Config{
		ServerName: host, RootCAs: roots, MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
}

// resumes reports whether the session of a new visitor of one is known to other.
func (g *gate) resumes(t *testing.T, other *gate, host string, roots *x509.CertPool, version uint16) bool {
	t.Helper()
	visitor := newVisitor(host, roots, version)
	require.False(t, g.visit(t, visitor), "nobody knows a new one")
	return other.visit(t, visitor)
}

func TestGatesThatShareARedisResumeEachOthersSessions(t *testing.T) {
	t.Parallel()
	at := program.FreeAddress(t)
	server := newRedis(t, at)
	one, two := newGate(t, track), newGate(t, track)
	one.tls, two.tls = redisOf(at), redisOf(at)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: one.plain, secure: one.secure}).start(t)
	orderOnce(t, a, one, two)
	roots := a.roots(t)
	both := func(when string) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			name := tls.VersionName(version) + when
			assert.True(t, one.resumes(t, two, track, roots, version), name)
			assert.True(t, two.resumes(t, one, track, roots, version), name)
		}
	}
	both("")
	require.NoError(t, server.Stop())
	both(", and Redis is away")
}
