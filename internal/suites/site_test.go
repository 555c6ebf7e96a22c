//go:build suites

package suites

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// python is Debian's own, which finds the packages of Debian.
const python = "/usr/bin/python3"

// site is a gate with uvicorns behind it.
type site struct {
	address  string // of the public listener
	storage  string
	journal  string
	backends []*uvicorn
}

// uvicorn is one backend that can be stopped and started again.
type uvicorn struct {
	address   string
	journal   string
	keepAlive int // seconds until it closes an idle connection
	command   *exec.Cmd
	process   *program.Process
}

const settings = `
listeners:
  - name: public
    kind: public
    address: "%s"
    hosts: ["localhost"]
    allow: [%s]
    cors: {origins: ["https://shop.example.com"]}
    pool: collectors
pools:
  - name: collectors
    backends: [%s]
    health: {interval: 500ms, timeout: 400ms}
limits: {handshakes_per_client: 0}
tls: {issuer: internal, storage: "%s"}
admin: {socket: "", address: ""}
`

// plan is what a site is to be.
type plan struct {
	backends  int
	keepAlive int    // of the backends, in seconds
	allow     string // "track" when empty
}

// needTools fails a test that cannot run, and says what helps.
func needTools(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"curl", "openssl", python} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "the suites need %s: make install-tools", tool)
	}
	output, err := exec.Command(python, "-c", "import fastapi, uvicorn").CombinedOutput()
	require.NoError(t, err, "the suites need python3-fastapi and python3-uvicorn: make install-tools\n%s", output)
}

// newSite starts the backends of a plan and a gate in front of them.
func newSite(t *testing.T, p plan) *site {
	t.Helper()
	needTools(t)
	s := &site{address: program.FreeAddress(t), storage: t.TempDir(), journal: filepath.Join(t.TempDir(), "journal")}
	require.NoError(t, os.WriteFile(s.journal, nil, 0o600))
	var urls []string
	for range p.backends {
		u := &uvicorn{address: program.FreeAddress(t), journal: s.journal, keepAlive: p.keepAlive}
		u.start(t)
		s.backends = append(s.backends, u)
		urls = append(urls, strconv.Quote("http://"+u.address))
	}
	for _, u := range s.backends {
		program.AwaitListener(t, u.address)
	}
	program.Run(t, gate(t), fmt.Sprintf(settings, s.address, cmp.Or(p.allow, "track"), strings.Join(urls, ", "), s.storage))
	program.AwaitListener(t, s.address)
	return s
}

func (s *site) ca() string { return filepath.Join(s.storage, "ca.pem") }

func (s *site) url(path string) string {
	_, port, _ := strings.Cut(s.address, ":")
	return "https://localhost:" + port + path
}

// delivered counts how often each event was accepted by a backend.
func (s *site) delivered(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(s.journal)
	require.NoError(t, err)
	times := map[string]int{}
	for _, id := range strings.Fields(string(text)) {
		times[id]++
	}
	return times
}

func (u *uvicorn) start(t *testing.T) {
	t.Helper()
	_, port, _ := strings.Cut(u.address, ":")
	u.command = exec.Command(python, "-m", "uvicorn", "collector:app", "--app-dir", "testdata", "--port", port,
		"--timeout-keep-alive", strconv.Itoa(u.keepAlive), "--no-access-log", "--log-level", "warning")
	u.command.Env = append(os.Environ(), "JOURNAL="+u.journal, "PYTHONDONTWRITEBYTECODE=1")
	u.process = program.Start(t, u.command)
}

// kill ends it as the kernel does when memory is short.
func (u *uvicorn) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, u.command.Process.Kill())
	u.process.Stop() // waits for the end
}

// restart stops it as Kubernetes would and returns once the next one listens.
func (u *uvicorn) restart(t *testing.T) {
	t.Helper()
	u.process.Stop() // uvicorn's end is its own affair
	u.start(t)
	program.AwaitListener(t, u.address)
}
