//go:build suites

package acme

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"
)

// responder tells how the certificates of an authority stand (OCSP, RFC 6960), as the
// authority says at that moment, and signs with the key that signed them.
type responder struct {
	server   *httptest.Server
	lifetime time.Duration // of its answers
	asked    atomic.Int32
	behind   atomic.Pointer[authority] // nil: it takes questions, and never answers
	gone     chan struct{}             // closed when those who wait are let go
}

func newResponder(t *testing.T) *responder {
	t.Helper()
	r := &responder{lifetime: 7 * 24 * time.Hour, gone: make(chan struct{})}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { r.serve(t, w, request) }))
	t.Cleanup(func() {
		close(r.gone)
		r.server.Close()
	})
	return r
}

func (r *responder) serve(t *testing.T, w http.ResponseWriter, request *http.Request) {
	r.asked.Add(1)
	a := r.behind.Load()
	if a == nil {
		<-r.gone
		return
	}
	body, _ := io.ReadAll(request.Body)
	question, err := ocsp.ParseRequest(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	issuer, key := a.intermediate(t)
	now := time.Now().UTC()
	template := ocsp.Response{SerialNumber: question.SerialNumber, ThisUpdate: now.Add(-time.Second), NextUpdate: now.Add(r.lifetime)}
	a.judge(t, &template)
	answer, err := ocsp.CreateResponse(issuer, issuer, template, key)
	require.NoError(t, err)
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Write(answer)
}

// judge fills in how the authority says that a certificate stands.
func (a *authority) judge(t *testing.T, answer *ocsp.Response) {
	var status struct{ Status string }
	require.NoError(t, json.Unmarshal(a.get(t, "/cert-status-by-serial/"+answer.SerialNumber.Text(16)), &status))
	answer.Status = ocsp.Good
	if status.Status == "Revoked" {
		answer.Status, answer.RevokedAt = ocsp.Revoked, answer.ThisUpdate
	}
}

// intermediate returns who signs the certificates.
func (a *authority) intermediate(t *testing.T) (*x509.Certificate, crypto.Signer) {
	cert, _ := pem.Decode(a.get(t, "/intermediates/0"))
	key, _ := pem.Decode(a.get(t, "/intermediate-keys/0"))
	signer, err := x509.ParsePKCS1PrivateKey(key.Bytes)
	require.NoError(t, err)
	issuer, err := x509.ParseCertificate(cert.Bytes)
	require.NoError(t, err)
	return issuer, signer
}

// revoke has the authority revoke a certificate of a gate, at the word of who has its key.
func (a *authority) revoke(t *testing.T, g *gate, cert *x509.Certificate) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(g.storage, "certificates", "*", cert.DNSNames[0], "*.bundle"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	var bundle map[string][]byte
	require.NoError(t, json.Unmarshal(text, &bundle))
	key, err := certmagic.PEMDecodePrivateKey(bundle[".key"])
	require.NoError(t, err)
	client := &acme.Client{Directory: a.directory(), HTTPClient: a.client()}
	require.NoError(t, client.RevokeCertificate(t.Context(), acme.Account{}, cert, key, acme.ReasonKeyCompromise))
}
