//go:build suites

package acme

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// patience is how long a certificate may take.
const patience = 40 * time.Second

// gate is a trackgate with a collector behind it.
type gate struct {
	plain, secure, admin string // addresses
	storage, file        string
	hosts                []string
	tls                  string // further settings of tls
	backend              string
	process              *program.Process
}

const settings = `
listeners:
  - {name: public, kind: public, address: "%s", hosts: ["%s"], pool: collectors}
  - {name: plain, kind: redirect, address: "%s"}
pools:
  - {name: collectors, backends: ["%s"], health: {interval: 0}}
limits: {handshakes_per_client: 0}
tls:
  issuer: acme
  storage: "%s"
  %s
  acme:
    email: ops@example.com
%s
admin: {socket: "", address: "%s"}
log: {level: debug}
`

// newGate has addresses, and does not run yet.
func newGate(t *testing.T, hosts ...string) *gate {
	t.Helper()
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{}`)) }))
	t.Cleanup(collector.Close)
	return &gate{
		plain: program.FreeAddress(t), secure: program.FreeAddress(t), admin: program.FreeAddress(t),
		storage: t.TempDir(), hosts: hosts, backend: collector.URL,
	}
}

// start runs the gate with these settings of tls.acme until the test or stop ends it.
func (g *gate) start(t *testing.T, acme ...string) *gate {
	t.Helper()
	lines := "    " + strings.Join(acme, "\n    ")
	text := fmt.Sprintf(settings, g.secure, strings.Join(g.hosts, `", "`), g.plain, g.backend, g.storage, g.tls, lines, g.admin)
	g.file = filepath.Join(t.TempDir(), "trackgate.yaml")
	require.NoError(t, os.WriteFile(g.file, []byte(text), 0o600))
	p := program.Start(t, exec.Command(binary(t, "trackgate"), "run", "-c", g.file))
	t.Cleanup(func() { assert.NoError(t, p.Stop()) })
	g.process = p
	program.AwaitListener(t, g.secure)
	return g
}

func (g *gate) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, g.process.Stop())
}

// of returns the settings for an authority, whose own server of names is asked before an
// order.
func of(a *authority, more ...string) []string {
	lines := append([]string{"directory: " + a.directory(), "ca: " + a.trust}, more...)
	if a.rules.names != "" && !strings.Contains(strings.Join(lines, "\n"), "dns: ") {
		lines = append(lines, "dns: {resolvers: [\""+a.rules.names+"\"]}")
	}
	return lines
}

// shake does a handshake for a host and returns the certificate that was shown.
func (g *gate) shake(host string, roots *x509.CertPool) (*x509.Certificate, error) {
	state, err := g.meet(host, roots)
	if err != nil {
		return nil, err
	}
	return state.PeerCertificates[0], nil
}

// meet does a handshake for a host and returns all that came of it.
func (g *gate) meet(host string, roots *x509.CertPool) (tls.ConnectionState, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", g.secure, &tls.Config{ServerName: host, RootCAs: roots})
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

// awaits returns the certificate of host as soon as there is one.
func (g *gate) awaits(t *testing.T, host string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var cert *x509.Certificate
	require.Eventually(t, func() bool {
		var err error
		cert, err = g.shake(host, roots)
		return err == nil
	}, patience, 100*time.Millisecond, "no certificate for %s", host)
	return cert
}

// posts sends an event to a host and returns the status.
func (g *gate) posts(t *testing.T, host string, roots *x509.CertPool) int {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: host}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+g.secure+"/track", strings.NewReader(`{}`))
	require.NoError(t, err)
	request.Host = cmp.Or(host, "none")
	answer, err := transport.RoundTrip(request)
	require.NoError(t, err)
	answer.Body.Close()
	return answer.StatusCode
}

// unrecognized reports whether a handshake ended because the gate has nothing for the name
// (the alert of RFC 6066 section 3).
func unrecognized(err error) bool {
	return err != nil && strings.Contains(err.Error(), "unrecognized name")
}

// page returns what the admin address has at a path.
func (g *gate) page(t *testing.T, path string) string {
	t.Helper()
	answer, err := http.Get("http://" + g.admin + path)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// state is how a host stands with its certificate.
type state struct {
	Host, Source string
	Order        struct {
		Failures int
		Error    string
	}
}

func (g *gate) states(t *testing.T) (states []state) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(g.page(t, "/certs")), &states))
	return states
}
