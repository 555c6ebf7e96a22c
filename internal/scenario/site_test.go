//go:build scenario

package scenario

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/faults"
	"github.com/trackgate/trackgate/internal/program"
)

// site is a gate with backends behind it, each a process.
type site struct {
	address, admin string
	storage        string
	file           string // settings of the gate
	exchanges      string // the access log
	journal        journal
	backends       []*backend
	client         *client
	scraper        *http.Client
	process        *program.Process // the gate
	before         vitals           // of the gate, before any request came
}

// plan is what a site is to be.
type plan struct {
	backends int
	role     role     // of each backend; its name and place are filled in
	uvicorn  bool     // FastAPI on uvicorn instead of our own
	faults   bool     // between the gate and each backend
	host     *host    // where the first backend is; nil: here like the others
	pool     string   // further lines of the pool's settings
	port     string   // of all backends, each at an address of its own; "": one address, each at a port of its own
	entries  string   // instead of one entry of the pool for each backend
	log      string   // the file of the access log; "": one with room
	storage  string   // of certificates; "": one with room
	paced    string   // handshakes that a client may make in a second; "": any number
	binary   string   // of a gate that is built otherwise than the one that is shipped
	under    []string // the words of a command that starts the gate's command
	further  further
}

// further is what a gate's settings have beside the usual, as lines.
type further struct{ listeners, pools, sections string }

// checked is how backends are checked where a scenario does not say it otherwise.
const checked = "health: {interval: 300ms, timeout: 1s}"

const settings = `
listeners:
  - name: public
    kind: public
    address: "%s"
    hosts: ["localhost"]
    allow: [track, {methods: [GET], path: /get}]
    pool: collectors
%spools:
  - name: collectors
    backends: [%s]
    %s
%slimits: {connections_per_client: 0, handshakes_per_client: %s}
tls: {issuer: internal, storage: "%s"}
admin: {socket: "%s", address: "%s"}
log: {access: {output: "%s"}}
%s`

// newSite starts the backends of a plan and a gate in front of them.
func newSite(t *testing.T, p plan) *site {
	t.Helper()
	s := newBackends(t, p)
	s.run(t, p)
	return s
}

// newBackends starts the backends of a plan. Nothing is in front of them yet.
func newBackends(t *testing.T, p plan) *site {
	t.Helper()
	s := &site{address: faults.Address(t), admin: faults.Address(t), storage: cmp.Or(p.storage, t.TempDir()), journal: newJournal(t)}
	s.exchanges = cmp.Or(p.log, filepath.Join(t.TempDir(), "access.log"))
	t.Cleanup(func() { s.confess(t) })
	p.role.Journal = s.journal.path
	for i := range p.backends {
		s.backends = append(s.backends, newBackend(t, p, i))
	}
	if p.host != nil {
		p.host.takes(t, s.backends[0])
	}
	for _, b := range s.backends {
		b.start(t)
	}
	return s
}

// run starts the gate and makes a client for it.
func (s *site) run(t *testing.T, p plan) {
	t.Helper()
	if p.pool == "" {
		p.pool = checked
	}
	if p.entries == "" {
		p.entries = s.entries()
	}
	folder := t.TempDir()
	s.file = filepath.Join(folder, "trackgate.yaml")
	text := fmt.Sprintf(settings, s.address, p.further.listeners, p.entries, strings.ReplaceAll(p.pool, "\n", "\n    "), p.further.pools,
		cmp.Or(p.paced, "0"), s.storage, filepath.Join(folder, "admin.sock"), s.admin, s.exchanges, p.further.sections)
	require.NoError(t, os.WriteFile(s.file, []byte(text), 0o600))
	s.process = program.Start(t, p.command(t, s.file))
	t.Cleanup(func() { assert.NoError(t, s.process.Stop(), "the end of the gate") })
	program.AwaitListener(t, s.address)
	program.AwaitListener(t, s.admin)
	s.client = &client{address: s.address, tls: s.trust(t), within: time.Minute}
	s.scraper = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	t.Cleanup(s.client.close)
	s.before = s.rested(t)
}

// command starts the gate.
func (p plan) command(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	if p.binary == "" {
		p.binary = gate(t)
	}
	words := append(slices.Clone(p.under), p.binary, "run", "-c", file)
	return exec.Command(words[0], words[1:]...)
}

// confess shows, if the test failed, the first exchanges that went wrong in the eyes
// of the gate.
func (s *site) confess(t *testing.T) {
	text, err := os.ReadFile(s.exchanges)
	if !t.Failed() || err != nil {
		return
	}
	shown := 0
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"reason":"ok"`) && !strings.Contains(line, `"reason":"not_exposed"`) && shown < 10 {
			t.Log(line)
			shown++
		}
	}
}

// entries are the backends as the settings name them.
func (s *site) entries() string {
	var urls []string
	for _, b := range s.backends {
		urls = append(urls, strconv.Quote("http://"+b.seen))
	}
	return strings.Join(urls, ", ")
}

// trust is the TLS of a client that knows the gate's own CA.
func (s *site) trust(t *testing.T) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.storage, "ca.pem"))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	return &tls.Config{RootCAs: roots, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

// load begins visits at this rate a second.
func (s *site) load(t *testing.T, rate int) *load {
	t.Helper()
	return startLoad(s.client, "v", rate)
}

// settle ends a scenario, with all backends well again: nothing was mixed up, what
// was said to be delivered was, every backend gets work, and the gate gave back
// what it had taken.
func (s *site) settle(t *testing.T, r report) {
	t.Helper()
	t.Logf("in all %s", r)
	r.unmixed(t)
	s.honest(t, r)
	for _, b := range s.backends {
		s.shows(t, b, 1, recovery)
	}
	s.client.close()
	s.asBefore(t, s.before)
}

// honest demands that what was said to be delivered was.
func (s *site) honest(t *testing.T, r report) {
	t.Helper()
	times := s.journal.delivered(t)
	for _, v := range r.posts() {
		if !v.failed() {
			assert.Positive(t, times[v.id], "an event that was answered and never delivered: %s", v)
		}
	}
}

// twice holds the posts that were delivered more than once.
func (s *site) twice(t *testing.T, r report) report {
	t.Helper()
	times := s.journal.delivered(t)
	return r.only(func(v visit) bool { return v.post && times[v.id] > 1 })
}
