//go:build suites

package suites

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
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

// spoken is what the access log says of clients that know HTTP/2.
const spoken = "HTTP/2.0"

// patience is how long anything may take that is expected to happen.
const patience = 20 * time.Second

// edge is a gate with a collector behind it, which tells what it was sent, and an
// access log.
type edge struct {
	site
	collector *collector
	accessLog string
	process   *program.Process
}

const edgeSettings = `
listeners:
  - name: public
    kind: public
    address: "%s"
    hosts: ["localhost"]
    allow: [%s]
    cors: {origins: ["%s"]}
    limits: {%s}
    pool: collectors
pools:
  - {name: collectors, backends: ["http://%s"]}
limits: {handshakes_per_client: 0}
tls: {issuer: internal, storage: "%s"}
admin: {socket: "", address: ""}
log: {access: {output: "%s"}}
`

// access is what may differ between edges.
type access struct {
	allow     string     // in YAML; events, the tracker and /held when empty
	origin    string     // whose pages may ask; some shop's when empty
	limits    string     // in YAML
	storage   string     // a new one when empty
	collector *collector // a new one when nil
}

func newEdge(t *testing.T, a access) *edge {
	t.Helper()
	if a.collector == nil {
		a.collector = newCollector(t)
	}
	e := &edge{collector: a.collector, accessLog: filepath.Join(t.TempDir(), "access.log")}
	e.address, e.storage = program.FreeAddress(t), cmp.Or(a.storage, t.TempDir())
	allow := cmp.Or(a.allow, "track, tracker, {methods: [GET], path: /held}")
	origin := cmp.Or(a.origin, "https://shop.example.com")
	e.process = program.Run(t, gate(t), fmt.Sprintf(edgeSettings, e.address, allow, origin, a.limits, e.collector.address, e.storage, e.accessLog))
	program.AwaitListener(t, e.address)
	return e
}

// needs fails a test whose tools are not there, and says what helps.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "the suites need %s: make install-tools", tool)
	}
}

// entry is a line of the access log.
type entry struct {
	Protocol, Method, Path, Reason, Backend string
	Status, Attempts                        int
	UserAgent                               string `json:"user_agent"`
}

// entries returns the access log as soon as it has so many lines.
func (e *edge) entries(t *testing.T, count int) []entry {
	t.Helper()
	var entries []entry
	require.Eventually(t, func() bool {
		entries = readEntries(t, e.accessLog)
		return len(entries) >= count
	}, patience, 50*time.Millisecond, "the access log never had %d lines", count)
	assert.Len(t, entries, count)
	return entries
}

// speak demands that the access log has so many lines, all of that protocol.
func (e *edge) speak(t *testing.T, protocol string, count int) {
	t.Helper()
	for _, line := range e.entries(t, count) {
		assert.Equal(t, protocol, line.Protocol, "%+v", line)
	}
}

func readEntries(t *testing.T, file string) []entry {
	text, err := os.ReadFile(file)
	if !assert.NoError(t, err) {
		return nil
	}
	var entries []entry
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil { // the last line may be half written
			entries = append(entries, e)
		}
	}
	return entries
}

// written puts a text into a file for a client to send.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
