package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const statesJSON = `[
	{"host": "a.example.com", "source": "acme: letsencrypt", "issuer": "E7", "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-04-01T00:00:00Z",
		"days_left": 12.34, "renewal": "2026-03-02T00:00:00Z",
		"order": {"failures": 2, "error": "timeout", "advice": ["port 80 is closed"], "ended": "2026-03-20T10:00:00Z", "not_before": "2026-03-20T11:00:00Z"}},
	{"host": "b.example.com", "source": "/etc/tls.crt", "issuer": "own", "not_after": "2026-04-01T00:00:00Z", "days_left": 12.34},
	{"host": "c.example.com"}
]`

const statesText = `HOST           ENDS        DAYS LEFT  RENEWAL     SOURCE             ISSUER
a.example.com  2026-04-01  12.3       2026-03-02  acme: letsencrypt  E7
b.example.com  2026-04-01  12.3       -           /etc/tls.crt       own
c.example.com  -           -          -           none yet

a.example.com: 2 orders failed in a row, the last one at 2026-03-20T10:00:00Z; the next one comes after 2026-03-20T11:00:00Z
  timeout
  perhaps: port 80 is closed
`

// withAuthority are settings of a gate with this admin address.
func withAuthority(t *testing.T, admin, storage string) string {
	return settings(t, `
listeners:
  - {name: public, kind: public, address: ":443", hosts: [a.example.com], pool: p}
  - {name: plain, kind: redirect, address: ":80"}
pools: [{name: p, backends: ["http://10.0.0.11:8686"]}]
tls: {issuer: acme, acme: {email: ops@example.com}, storage: "`+storage+`"}
admin: {socket: "", address: "`+admin+`"}
`)
}

func TestCertsShowsWhatTheGateHas(t *testing.T) {
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/certs", r.URL.Path)
		_, _ = w.Write([]byte(statesJSON))
	}))
	t.Cleanup(gate.Close)
	file := withAuthority(t, gate.Listener.Addr().String(), t.TempDir())

	assert.Equal(t, outcome{exitFine, statesText, ""}, try("certs", "-c", file))
	asked := try("certs", "-c", file, "-o", "json")
	assert.JSONEq(t, statesJSON, asked.stdout)
}

func TestCertsWithoutAGate(t *testing.T) {
	got := try("certs", "-c", withAuthority(t, "127.0.0.1:1", t.TempDir()))
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "no gate answers on admin.address 127.0.0.1:1")
	got = try("certs", "-c", withAuthority(t, "", t.TempDir()))
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "admin.socket and admin.address are empty")
}

func TestCertsRenewLeavesWord(t *testing.T) {
	storage := t.TempDir()
	file := withAuthority(t, "", storage)
	got := try("certs", "renew", "-c", file, "a.example.com")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.FileExists(t, filepath.Join(storage, "renewals", "a.example.com"))
	got = try("certs", "renew", "-c", file, "b.example.com")
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, `"b.example.com" is no host`)
}

func TestCertsTrustPrintsTheInternalCA(t *testing.T) {
	storage := t.TempDir()
	file := settings(t, `
listeners: [{name: public, kind: public, address: ":443", hosts: [a.example.com], pool: p}]
pools: [{name: p, backends: ["http://10.0.0.11:8686"]}]
tls: {issuer: internal, storage: "`+storage+`"}
`)
	got := try("certs", "trust", "-c", file)
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "made when the gate is first started")
	require.NoError(t, os.WriteFile(filepath.Join(storage, "ca.pem"), []byte("PEM"), 0o600))
	assert.Equal(t, outcome{exitFine, "PEM", ""}, try("certs", "trust", "-c", file))
	assert.Contains(t, try("certs", "trust", "-c", withAuthority(t, "", storage)).stderr, "tls.issuer is acme")
}

func TestCheckSaysWhoIsAskedForWhatIsMissing(t *testing.T) {
	storage := filepath.Join(t.TempDir(), "none")
	got := try("check", "-c", withAuthority(t, "", storage))
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, `certificate +a.example.com +to be ordered from letsencrypt\n`, got.stdout)
	assert.NoDirExists(t, storage, "check leaves no trace")
}

func TestCertsImportNeedsAPair(t *testing.T) {
	file := withAuthority(t, "", t.TempDir())
	got := try("certs", "import", "-c", file, "none.crt", "none.key")
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "certificate none.crt: no such file")
	got = try("certs", "import", "-c", file, "none.crt")
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "accepts 2 arg(s), received 1")
}
