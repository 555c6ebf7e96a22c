package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// operated is a gate of its own process with an admin socket, whose file a test rewrites.
type operated struct {
	*gate
	file   string
	client *http.Client
}

func newOperated(t *testing.T) *operated {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{}`)) }))
	t.Cleanup(backend.Close)
	p := newPlace(t)
	p.backend, p.socket = backend.URL, filepath.Join(t.TempDir(), "run", "admin.sock")
	g := &operated{file: p.settings(t)}
	g.gate = startOn(t, os.Args[0], p, g.file)
	g.client = client(t, filepath.Join(p.storage, "ca.pem"))
	require.Eventually(t, func() bool {
		_, err := os.Stat(p.socket)
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	return g
}

// rewrite replaces a part of the file.
func (g *operated) rewrite(t *testing.T, old, other string) {
	t.Helper()
	text, err := os.ReadFile(g.file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(g.file, []byte(replace(t, string(text), old, other)), 0o600))
}

func replace(t *testing.T, text, old, other string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, other, 1)
}

func (g *operated) status(t *testing.T, method, path string) int {
	t.Helper()
	_, port, _ := net.SplitHostPort(g.address)
	r, err := http.NewRequestWithContext(t.Context(), method, "https://localhost:"+port+path, strings.NewReader(`{}`))
	require.NoError(t, err)
	res, err := g.client.Do(r)
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}

const exposed = `hosts: ["localhost"], allow: [track, {methods: [PUT], path: /more}],`

func TestReloadOnRequestAndOnSignal(t *testing.T) {
	g := newOperated(t)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	assert.Equal(t, 404, g.status(t, "PUT", "/more"))
	got := try("reload", "-c", g.file)
	assert.Equal(t, outcome{stdout: "nothing is different\n"}, got)

	g.rewrite(t, `hosts: ["localhost"],`, exposed)
	got = try("diff", "-c", g.file)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, "~ listeners.public.allow: [{preset: track}] -> [{preset: track}, {methods: [PUT], path: /more}]\n", got.stdout)
	assert.Equal(t, 404, g.status(t, "PUT", "/more"), "it only says so")
	got = try("reload", "-c", g.file)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Contains(t, got.stdout, "\nreloaded\n")
	assert.Equal(t, 200, g.status(t, "PUT", "/more"))

	g.rewrite(t, exposed, `hosts: ["localhost"], hsts: 180d, limits: {body: 10},`)
	got = try("diff", "-c", g.file, "-o", "json")
	var r report
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r), got.stderr)
	assert.Len(t, r.Changes, 3)
	assert.Equal(t, []string{"listener public has other terms: its connections finish what they have and come again"}, r.Effects)
	require.NoError(t, g.command.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return g.status(t, "PUT", "/more") == 404 }, 10*time.Second, 10*time.Millisecond)
}

// A broken file leaves the old settings serving, and everybody who asks is told why.
func TestABrokenFileChangesNothing(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, `hosts: ["localhost"],`, `hosts: ["localhost"], hosst: 1,`)
	got := try("reload", "-c", g.file)
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "hosst")
	require.NoError(t, g.command.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return g.metric(t, "trackgate_config_last_reload_successful") == "0" }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))

	taken := occupied(t)
	g.rewrite(t, ` hosst: 1,`, "")
	g.rewrite(t, "pools:\n", "  - {name: more, kind: public, address: \""+taken+"\", hosts: [more.test], pool: collectors}\npools:\n")
	got = try("reload", "-c", g.file)
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "listener more: address "+taken)
	assert.Contains(t, got.stderr, "address already in use")
	assert.Equal(t, 200, g.status(t, "POST", "/track"))

	g.rewrite(t, taken, program.FreeAddress(t))
	got = try("reload", "-c", g.file)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Contains(t, got.stdout, "+ listeners.more: {name: more")
	assert.Equal(t, "1", g.metric(t, "trackgate_config_last_reload_successful"))
}

func all(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// metric reads a series over the socket.
func (g *operated) metric(t *testing.T, name string) string {
	t.Helper()
	transport := &http.Transport{DialContext: atSocket(g.socket).dial, DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport}).Get("http://gate/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	for line := range strings.Lines(all(t, res.Body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func TestVerbsOfOperators(t *testing.T) {
	g := newOperated(t)
	got := try("status", "-c", g.file)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, `^trackgate \S+ is serving since .*, \d+ connections\n\nLISTENER +KIND +ADDRESS +HOSTS +POOL\npublic +public +`+g.address+` +localhost +collectors\n`, got.stdout)
	backend := strings.TrimPrefix(g.backend, "http://")
	got = try("drain", "-c", g.file, "collectors", backend)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, "collectors +"+backend+" +up, draining", got.stdout)
	assert.Equal(t, 503, g.status(t, "POST", "/track"))
	got = try("undrain", "-c", g.file, "collectors", backend)
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	got = try("drain", "-c", g.file, "none", backend)
	assert.Equal(t, outcome{code: exitMistake, stderr: "no pool is named \"none\"\n"}, got)
	got = try("drain", "-c", g.file, "collectors", "10.0.0.1:1")
	assert.Equal(t, outcome{code: exitMistake, stderr: "pool collectors has no backend 10.0.0.1:1\n"}, got)
	got = try("backends", "-c", g.file, "-o", "json")
	assert.Contains(t, got.stdout, `"backend": "`+backend+`"`)

	got = try("drain", "-c", g.file, "--wait", "5s")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, `^the gate is draining, \d+ connections\n$`, got.stdout)
	assert.Equal(t, 200, g.status(t, "POST", "/track"), "it serves nevertheless")
	got = try("undrain", "-c", g.file)
	assert.Regexp(t, `^the gate is serving, \d+ connections\n$`, got.stdout)
	got = try("drain", "-c", g.file, "collectors")
	assert.Equal(t, outcome{code: exitMistake, stderr: "1 arguments: wanted none, for the whole gate, or two, POOL and BACKEND\n"}, got)

	got = try("loglevel", "-c", g.file, "loud")
	assert.Equal(t, outcome{code: exitMistake, stderr: "level \"loud\": wanted debug, info, warn or error\n"}, got)
	got = try("loglevel", "-c", g.file, "debug")
	assert.Equal(t, outcome{stdout: "the log's level is debug\n"}, got)

	info, err := os.Stat(g.socket)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(socketMode), info.Mode().Perm())
}

// Those before the gate need their time to notice, however few come.
func TestADrainWaitsForThoseBefore(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, "pools:", "timeouts: {announce: 300ms}\npools:")
	require.Equal(t, exitFine, try("reload", "-c", g.file).code)
	g.rewrite(t, "announce: 300ms", "announce: 1h") // which the gate does not know
	began := time.Now()
	got := try("drain", "-c", g.file, "--wait", "1ms")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, `^the gate is draining, 0 connections\n$`, got.stdout)
	assert.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	assert.Equal(t, 200, g.status(t, "POST", "/track"), "it serves nevertheless")
	got = try("drain", "-c", g.file, "-o", "json")
	assert.Contains(t, got.stdout, `"state": "draining"`)
	got = try("drain", "-c", g.file, "--wait", "1s", "collectors", "10.0.0.1:1")
	assert.Equal(t, outcome{code: exitMistake, stderr: "--wait is for the whole gate: without POOL and BACKEND\n"}, got)
}

func TestVerbsWithoutAGate(t *testing.T) {
	p := newPlace(t)
	p.socket = filepath.Join(t.TempDir(), "admin.sock")
	file := p.settings(t)
	for _, verb := range [][]string{{"status"}, {"backends"}, {"reload"}, {"diff"}, {"drain", "p", "b"}, {"loglevel", "info"}} {
		got := try(append(verb, "-c", file)...)
		assert.Equal(t, exitFailure, got.code, verb)
		assert.Contains(t, got.stderr, "no gate answers on admin.socket "+p.socket, verb)
	}
	p.socket = ""
	file = p.settings(t)
	for _, verb := range [][]string{{"status"}, {"reload"}, {"drain", "p", "b"}} {
		got := try(append(verb, "-c", file)...)
		assert.Equal(t, exitMistake, got.code, verb)
		assert.Contains(t, got.stderr, "admin.socket", verb)
	}
}

// A gate that has crashed leaves its socket; one that runs is not pushed aside.
func TestASocketThatIsThereAlready(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := listenSocket(path)
	require.NoError(t, err)
	_, err = listenSocket(path)
	require.ErrorContains(t, err, "address already in use")
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	again, err := listenSocket(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = listenSocket(path)
	require.Error(t, err, "a file of somebody")
	require.FileExists(t, path)
	_, err = listenSocket(filepath.Join(path, "below"))
	require.ErrorContains(t, err, "admin.socket: ")
}

func TestAdminSidesMove(t *testing.T) {
	g := newOperated(t)
	before := g.socket
	moved := filepath.Join(t.TempDir(), "moved.sock")
	at := program.FreeAddress(t)
	g.rewrite(t, `admin: {socket: "`+before+`", address: ""}`, `admin: {socket: "`+moved+`", address: "`+at+`"}`)
	require.NoError(t, g.command.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return try("status", "-c", g.file).code == exitFine }, 10*time.Second, 10*time.Millisecond)
	require.NoFileExists(t, before)
	res, err := http.Get("http://" + at + "/status")
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 200, res.StatusCode)
	res, err = http.Post("http://"+at+"/reload", "application/json", nil)
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 404, res.StatusCode, "the address is for reading")
	g.rewrite(t, at, "")
	assert.Equal(t, exitFine, try("reload", "-c", g.file).code)
	require.Eventually(t, func() bool {
		_, err := net.Dial("tcp", at)
		return err != nil
	}, 10*time.Second, 10*time.Millisecond)
}

func TestTheAccessLogMoves(t *testing.T) {
	g := newOperated(t)
	one, two := filepath.Join(t.TempDir(), "one.log"), filepath.Join(t.TempDir(), "two.log")
	lines := func(path string) int {
		text, _ := os.ReadFile(path)
		return strings.Count(string(text), "\n")
	}
	g.rewrite(t, `output: "off"`, `output: "`+one+`"`)
	assert.Equal(t, exitFine, try("reload", "-c", g.file).code)
	for range 3 {
		g.status(t, "POST", "/track")
	}
	g.rewrite(t, `output: "`+one+`"`, `output: "`+two+`"`)
	assert.Equal(t, exitFine, try("reload", "-c", g.file).code)
	assert.Equal(t, 3, lines(one), "nothing is lost on the way")
	g.status(t, "POST", "/track")
	require.Eventually(t, func() bool { return lines(two) == 1 }, 10*time.Second, 10*time.Millisecond)
	g.rewrite(t, `output: "`+two+`"`, `output: "/none/access.log"`)
	got := try("reload", "-c", g.file)
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "/none/access.log")
	g.status(t, "POST", "/track")
	require.Eventually(t, func() bool { return lines(two) == 2 }, 10*time.Second, 10*time.Millisecond)
}
