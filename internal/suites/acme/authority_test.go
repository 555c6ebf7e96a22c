//go:build suites

package acme

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// rules are what an authority does and asks for.
type rules struct {
	names     string            // address of the DNS server that it asks
	plain     string            // address where it comes to for http-01
	secure    string            // and for tls-alpn-01
	lifetime  int               // of certificates, in seconds; 0 is 90 days
	badNonces int               // percent of nonces that it refuses
	responder string            // URL that its certificates name, where their status is told
	accounts  map[string]string // that alone may bind: id to HMAC key
}

// authority is a Pebble that runs.
type authority struct {
	address    string // of its directory
	management string
	front      string // address of what stands before it; "" for nothing
	trust      string // PEM file of who signed its own host
	folder     string
	rules      rules
	process    *program.Process
}

func newAuthority(t *testing.T, r rules) *authority {
	t.Helper()
	a := &authority{address: program.FreeAddress(t), management: program.FreeAddress(t), folder: t.TempDir(), rules: r}
	a.trust = filepath.Join(a.folder, "host.pem")
	writeHost(t, a.trust, filepath.Join(a.folder, "host.key"))
	return a
}

// start lets it run until the test ends.
func (a *authority) start(t *testing.T) *authority {
	t.Helper()
	a.configure(t)
	command := exec.Command(binary(t, "pebble"), "-strict", "-config", filepath.Join(a.folder, "config.json"), "-dnsserver", a.rules.names)
	command.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", "PEBBLE_WFE_NONCEREJECT="+strconv.Itoa(a.rules.badNonces))
	a.process = program.Start(t, command)
	program.AwaitListener(t, a.address)
	program.AwaitListener(t, a.management)
	return a
}

func (a *authority) directory() string { return "https://" + cmp.Or(a.front, a.address) + "/dir" }

func (a *authority) configure(t *testing.T) {
	t.Helper()
	settings := map[string]any{
		"listenAddress": a.address, "managementListenAddress": a.management,
		"certificate": a.trust, "privateKey": filepath.Join(a.folder, "host.key"),
		"ocspResponderURL": a.rules.responder,
		"httpPort":         port(a.rules.plain), "tlsPort": port(a.rules.secure), "keyAlgorithm": a.keys(),
		"retryAfter":                     map[string]int{"authz": 1, "order": 1},
		"externalAccountBindingRequired": len(a.rules.accounts) > 0, "externalAccountMACKeys": a.rules.accounts,
		"profiles": map[string]any{"default": map[string]any{"description": "of the test", "validityPeriod": max(a.rules.lifetime, 1)}},
	}
	if a.rules.lifetime == 0 {
		settings["profiles"] = map[string]any{"default": map[string]any{"description": "of the test", "validityPeriod": 7776000}}
	}
	text, err := json.Marshal(map[string]any{"pebble": settings})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(a.folder, "config.json"), text, 0o600))
}

// keys is the kind of its own keys. It gives them only to who signs answers, and that only
// where they are RSA.
func (a *authority) keys() string {
	if a.rules.responder != "" {
		return "rsa"
	}
	return "ecdsa"
}

// port returns the port of an address, one that nobody has where there is none.
func port(address string) int {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 1
	}
	n, _ := strconv.Atoi(text)
	return n
}

// roots returns who signs the certificates. Pebble makes them anew each time.
func (a *authority) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(a.get(t, "/roots/0")))
	return pool
}

func (a *authority) get(t *testing.T, path string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+a.management+path, nil)
	require.NoError(t, err)
	answer, err := a.client().Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return body
}

// client is one that takes it for who it says it is.
func (a *authority) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// writeHost writes a certificate for loopback that its clients are told to trust.
func writeHost(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// newNames starts a DNS server by which every name is at address.
func newNames(t *testing.T, address string) string {
	t.Helper()
	at := program.FreeAddress(t)
	program.Start(t, exec.Command(binary(t, "pebble-challtestsrv"), "-dnsserver", at, "-defaultIPv4", address, "-defaultIPv6", "",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", program.FreeAddress(t)))
	program.AwaitListener(t, at)
	return at
}
