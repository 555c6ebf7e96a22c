//go:build suites

package acme

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

const (
	tsigKey = "c2VjcmV0IG9mIHRoZSB0ZXN0LCAzMiBieXRlcyBsb25n"

	namedSettings = `
options {
	directory "%[1]s"; pid-file none; session-keyfile none; managed-keys-directory "%[1]s";
	listen-on port %[2]s { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; dnssec-validation no;
};
controls { };
key "gate" { algorithm hmac-sha256; secret "%[3]s"; };
zone "example.com" { type primary; file "%[1]s/zone"; allow-update { key "gate"; }; };
`
	zone = `$TTL 1
@ SOA ns hostmaster 1 60 60 60 1
@ NS ns
* A 127.0.0.1
ns A 127.0.0.1
`
)

// newZone starts a BIND that has the zone example.com, which who has the key may change.
func newZone(t *testing.T) string {
	t.Helper()
	named, err := exec.LookPath("named")
	require.NoError(t, err, "the suites need named: make install-tools")
	at, folder := program.FreeAddress(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "zone"), []byte(zone), 0o600))
	file := filepath.Join(folder, "named.conf")
	_, port, _ := strings.Cut(at, ":")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, namedSettings, folder, port, tsigKey), 0o600))
	program.Start(t, exec.Command(named, "-g", "-n", "1", "-c", file))
	program.AwaitListener(t, at)
	return at
}

func zoneOf(server, key string) string {
	return "dns: {provider: rfc2136, resolvers: [" + server + "], propagation: 20s, rfc2136: {server: " + server + ", key_name: gate, key: " + key + "}}"
}

// No authority can come in, and a wildcard could not be had in another way.
func TestWildcardsComeByTheZone(t *testing.T) {
	t.Parallel()
	server := newZone(t)
	g := newGate(t, "*.example.com", "example.com")
	a := newAuthority(t, rules{names: server}).start(t)
	g.start(t, of(a, zoneOf(server, tsigKey))...)
	roots := a.roots(t)
	assert.Equal(t, []string{"*.example.com"}, g.awaits(t, "any.example.com", roots).DNSNames)
	assert.Equal(t, []string{"example.com"}, g.awaits(t, "example.com", roots).DNSNames)
	assert.Equal(t, http.StatusOK, g.posts(t, "any.example.com", roots))
}

func TestAServerThatRefusesUpdatesIsToldOf(t *testing.T) {
	t.Parallel()
	server := newZone(t)
	g := newGate(t, "*.example.com")
	a := newAuthority(t, rules{names: server}).start(t)
	g.start(t, of(a, zoneOf(server, "b3RoZXI="))...)
	require.Eventually(t, func() bool { return g.states(t)[0].Order.Failures == 1 }, patience, 1e8)
	assert.Contains(t, g.states(t)[0].Order.Error, "bad authentication")
}
