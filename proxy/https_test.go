package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/internal/testdns"
)

// secured is a backend that speaks HTTPS, with the certificate of net/http's own
// test server (for example.com and 127.0.0.1), and the file of who signed it. It
// answers with what it got.
func secured(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthcheck" {
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("x-proto", r.Header.Get("x-forwarded-proto"))
		w.Write(body) //nolint:errcheck // the gate may be gone
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, block, 0o600))
	return server, file
}

// securely is a gate whose pool is the given https backends.
func securely(t *testing.T, p testbed.Protocol, backends string, keys ...string) *testbed.Gate {
	t.Helper()
	return p.Edge(t, testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: collectors}
pools:
  - name: collectors
    backends: [%s]
    timeouts: {connect: 20s}
    %s
`, backends, strings.Join(keys, "\n    ")))
}

func TestEventsReachBackendsByHTTPS(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		server, ca := secured(t)
		edge := securely(t, p, `"`+server.URL+`"`, "health: {interval: 0}", `tls: {ca: "`+ca+`"}`)
		client := edge.Dial(t, testbed.Way{})
		for i, body := range []string{event, text(60_000), text(500_000), event} {
			client.Post(t, "/track", body).HasStatus(200).HasBody(body)
			edge.NextLogLine(t).Has("reason", "ok").Has("reused", i == 1 || i == 3) // what cannot be sent twice has a connection of its own
		}
	})
}

func TestChecksSpeakHTTPSToo(t *testing.T) {
	t.Parallel()
	server, ca := secured(t)
	edge := securely(t, testbed.HTTP1, `"`+server.URL+`"`, "health: {interval: 20ms, timeout: 10s}", `tls: {ca: "`+ca+`"}`)
	assert.Contains(t, edge.Journal(t, `"up":true`), "1 check passed")
	edge.Post(t, "/track", event).HasStatus(200)
}

// A backend that cannot show who it is gets nothing.
func TestABackendThatIsNotCertifiedGetsNothing(t *testing.T) {
	t.Parallel()
	server, ca := secured(t)
	for keys, why := range map[string]string{
		`tls: {server_name: example.com}`:                         "unknown authority",
		`tls: {ca: "` + ca + `", server_name: tracardi.internal}`: "tracardi.internal",
	} {
		edge := securely(t, testbed.HTTP1, `"`+server.URL+`"`, "health: {interval: 20ms, timeout: 10s, fall: 1}", keys)
		assert.Contains(t, edge.Journal(t, `"up":false`), why)
		edge = securely(t, testbed.HTTP1, `"`+server.URL+`"`, "health: {interval: 0}", keys)
		edge.Post(t, "/track", event).IsEdge(502, "connect_failed")
		assert.Contains(t, edge.Journal(t, "an attempt failed"), why)
	}
}

// The name that a certificate must have is the one in the settings.
func TestTheNameInTheSettingsIsVerified(t *testing.T) {
	t.Parallel()
	server, ca := secured(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	dns := testdns.Start(t)
	dns.Set("example.com.", "A", 1, "127.0.0.1")
	dns.Set("_http._tcp.example.com.", "SRV", 1, "1 1 "+port+" elsewhere.test.")
	dns.Set("elsewhere.test.", "A", 1, "127.0.0.1")
	for url, status := range map[string]int{
		"dns+https://example.com.:" + port:    200,
		"srv+https://_http._tcp.example.com.": 200,
		"dns+https://elsewhere.test.:" + port: 502,
	} {
		edge := securely(t, testbed.HTTP1, `"`+url+`"`, "health: {interval: 0}", `tls: {ca: "`+ca+`"}`, `dns: {servers: ["`+dns.Addr+`"]}`)
		assert.Equal(t, status, edge.Post(t, "/track", event).Status, url)
	}
}

func TestTheGateShowsItsCertificate(t *testing.T) {
	t.Parallel()
	shown := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown <- r.TLS.PeerCertificates[0].Subject.Organization[0]
	}))
	template, ca := secured(t)
	own := template.TLS.Certificates[0]
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))

	edge := securely(t, testbed.HTTP1, `"`+server.URL+`"`, "health: {interval: 0}", `tls: {ca: "`+ca+`", certificate: "`+ca+`", key: "`+keyFile+`"}`)
	require.Equal(t, 200, edge.Post(t, "/track", event).Status)
	assert.Equal(t, "Acme Co", <-shown)

	edge = securely(t, testbed.HTTP1, `"`+server.URL+`"`, "health: {interval: 0}", `tls: {ca: "`+ca+`"}`)
	edge.Post(t, "/track", event).HasStatus(502)
}
