package main

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testtraces"
)

func TestAReloadBeginsToTrace(t *testing.T) {
	collector := testtraces.Start(t, nil)
	g := newOperated(t)
	require.Equal(t, 200, g.status(t, "POST", "/track"))
	text, err := os.ReadFile(g.file)
	require.NoError(t, err)
	traced := string(text) + "\ntraces: {collector: \"" + collector.URL + "\", headers: [\"authorization: Bearer secret-word\"]}\n"
	require.NoError(t, os.WriteFile(g.file, []byte(traced), 0o600))
	got := try("reload", "-c", g.file)
	require.Equal(t, exitFine, got.code, got.stderr)
	assert.Contains(t, got.stdout, "~ traces.collector: \"\" -> "+collector.URL+"/v1/traces")
	assert.NotContains(t, got.stdout, "secret-word")
	_, port, _ := net.SplitHostPort(g.address)
	got = try("explain", "POST", "https://localhost:"+port+"/track", "--from", "192.0.2.1", "-c", g.file)
	assert.Contains(t, got.stdout, "traceparent: a span of the gate's own")

	require.Equal(t, 200, g.status(t, "POST", "/track"))
	assert.Equal(t, "0", g.metric(t, `trackgate_spans_total{result="exported"}`))
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, g.end(t))
	require.Len(t, collector.Spans(), 1, "with the end at the latest")
	r := collector.Posts()[0]
	assert.Equal(t, "/v1/traces", r.URL.Path)
	assert.Equal(t, "Bearer secret-word", r.Header.Get("Authorization"))
}

func TestACAOfTracesMustHoldOne(t *testing.T) {
	p := newPlace(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte("nothing"), 0o600))
	file := p.settings(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, "\ntraces: {collector: \"https://127.0.0.1:1\", ca: \""+ca+"\"}\n"...), 0o600))
	got := try("run", "-c", file)
	assert.NotEqual(t, exitFine, got.code)
	assert.Contains(t, got.stderr, "traces: ")
	assert.Contains(t, got.stderr, ca)
}
