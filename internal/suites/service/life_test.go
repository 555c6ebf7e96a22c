//go:build suites

package service

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const lifeSettings = `
listeners:
  - {name: public, kind: public, address: ":443", hosts: ["track.example.com"], pool: collectors}
  - {name: plain, kind: redirect, address: ":80"}
pools:
  - {name: collectors, backends: ["http://127.0.0.1:9"], health: {interval: 0s}}
tls: {issuer: internal, storage: /var/lib/trackgate}
`

// live plays inside.sh under a systemd of its own and returns the facts.
func live(t *testing.T, deb string) map[string]string {
	t.Helper()
	shared := t.TempDir()
	copied(t, deb, filepath.Join(shared, "trackgate.deb"))
	copied(t, "testdata/inside.sh", filepath.Join(shared, "inside.sh"))
	require.NoError(t, os.WriteFile(filepath.Join(shared, "trackgate.yaml"), []byte(lifeSettings), 0o600))
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	console, err := exec.CommandContext(within, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--cgroup", "--uts", "--ipc",
		"--propagation", "private", "bash", "testdata/outside.sh", t.TempDir(), shared).CombinedOutput()
	if !strings.Contains(string(console), "begins\n") {
		t.Skipf("no systemd can be started in namespaces on this machine: %v: %s", err, console)
	}
	facts := map[string]string{}
	for line := range strings.Lines(read(t, filepath.Join(shared, "said"))) {
		name, fact, _ := strings.Cut(strings.TrimSpace(line), ": ")
		facts[name] = fact
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(read(t, filepath.Join(shared, "complained")), string(console))
		}
	})
	return facts
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.WriteFile(to, []byte(read(t, from)), 0o600))
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func TestALifeUnderSystemd(t *testing.T) {
	needs(t, "unshare", "ip", "dpkg", "curl", "systemd-analyze")
	if os.Geteuid() != 0 {
		t.Skip("only root may make the namespaces of this test")
	}
	assert.Equal(t, map[string]string{
		"installed":    "0 root:trackgate 640",
		"started":      "0 active",
		"status":       "serving 2 listeners, 1 of 1 backend up",
		"user":         "trackgate",
		"capabilities": "0000000000000400",
		"queue":        strings.TrimSpace(read(t, "/proc/sys/net/core/somaxconn")),
		"answers":      `{"detail": "not found", "reason": "not_exposed"}`,
		"reloading":    "0",
		"reloaded":     "0 the same process active",
		"upgraded":     "0",
		"followed":     "0 trackgate active",
		"relieved":     `0 {"detail": "not found", "reason": "not_exposed"}`,
		"watched":      "0 restarts",
		"frozen":       "1 restarts, active",
		"stacks":       "1",
		"stopped":      "0 success 0",
		"purged":       "0",
	}, live(t, build(t)))
}
