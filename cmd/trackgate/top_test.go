package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/tlsconf"
)

// busyLook is a gate with something in every section.
func busyLook() *look {
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	half, most := .0012, .25
	l := &look{at: at, rates: map[string]listenerRates{"public": {1012.4, 3.25}}}
	l.Status = status{
		Version: "1.2.3", PID: 42, State: "serving", UptimeSeconds: 93_784, Connections: 412,
		Traffic: metrics.Traffic{
			Rates: metrics.Rates{Requests: 1012.4, Refused: 3.1, Half: &half, Most: &most}, WindowSeconds: 10, StepSeconds: 5,
			Reasons: []metrics.Happened{{Reason: "ok", Recent: 9, Total: 99}, {Reason: "not_exposed", Recent: 2, Total: 12_345}, {Reason: "rate_limited", Recent: 7, Total: 8}},
			History: []metrics.Rates{{}, {Requests: 500}, {Requests: 1000}},
		},
		Listeners: []listenerStatus{{
			proxy.ListenerView{Name: "public", Kind: "public", Address: ":443", Pool: "collectors"},
			metrics.Totals{Requests: 1_234_567, Reasons: map[string]uint64{"ok": 1_222_214}, Statuses: map[string]uint64{"5xx": 3}},
		}, {ListenerView: proxy.ListenerView{Name: "redirect", Kind: "redirect", Address: ":80"}}},
		Backends: []pool.State{
			{Pool: "collectors", Backend: "10.0.0.11:8686", State: "up", Since: at.Add(-time.Hour), Weight: 1, Running: 2, Kept: 8, Why: "healthy"},
			{Pool: "collectors", Backend: "10.0.0.12:8686", State: "down", Since: at.Add(-90 * time.Second), Weight: 1, Why: "connection refused"},
			{Pool: "collectors", Backend: "10.0.0.13:8686", State: "up", Since: at.Add(-time.Second), Weight: 1, Draining: true},
		},
		Certificates: []tlsconf.State{{Host: "fine.test", Source: "internal", DaysLeft: 3, Renewal: at}, {Host: "late.test", Source: "file", DaysLeft: 3},
			{Host: "none.test"}},
	}
	l.Recent = recent{
		Troubled: []exchange{{Time: at, Reason: "backend_timeout", Status: 504, Duration: 30.0421, Method: "POST", Path: "/track", Client: "192.0.2.1", Listener: "public", Backend: "10.0.0.12:8686"}},
		Slowest:  []exchange{{Time: at, Reason: "ok", Status: 200, Duration: .2, Method: "POST", Path: "/track", Client: "192.0.2.1", Listener: "public", Backend: "10.0.0.11:8686"}},
		Refused:  []exchange{{Time: at, Reason: "not_exposed", Status: 404, Duration: .000021, Method: "GET", Path: "/\x1b[2J/\x9b31m/\u202e/漢字/e\u0301", Client: "192.0.2.9", Listener: "public"}},
	}
	return l
}

func TestALookIsShown(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, busyLook().print(&out))
	golden(t, "top.golden", out.String())
}

func TestAScreenIsNeverTooLarge(t *testing.T) {
	l := busyLook()
	for range 200 {
		l.Status.Backends = append(l.Status.Backends, l.Status.Backends[0])
	}
	for _, size := range [][2]int{{200, 60}, {80, 24}, {40, 10}, {10, 3}, {1, 1}, {0, 0}} {
		text := l.frame(size[0], size[1], false)
		lines := strings.Split(strings.NewReplacer(toTheTop, "", restOfLine, "", restOfAll, "").Replace(text), "\r\n")
		assert.LessOrEqual(t, len(lines), max(size[1], 1), "%v", size)
		for _, line := range lines {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), size[0], "%v: %s", size, line)
			assert.Regexp(t, "^[ -~µ▁-█·]*$", line, "%v", size)
		}
	}
	assert.Contains(t, l.frame(80, 24, false), "not_exposed", "no section takes all the room")
	assert.Contains(t, l.frame(80, 24, true), inRed)
	assert.NotContains(t, l.frame(80, 24, false), inRed)
}

func TestRatesAreOfOneProcess(t *testing.T) {
	before, now := busyLook(), busyLook()
	now.Status.UptimeSeconds += 2
	now.Status.Listeners[0].Requests += 30
	assert.Equal(t, 15.0, ratesBetween(before, now)["public"].requests)
	now.Status.Listeners[0].Requests = 1
	assert.NotContains(t, ratesBetween(before, now), "public", "a counter does not go down")
	now.Status.Listeners[0].Requests = 9_999_999
	now.Status.Since = now.Status.Since.Add(time.Second) // the same number, as in a container
	assert.Empty(t, ratesBetween(before, now))
	assert.Empty(t, ratesBetween(nil, now))
	now.rates = nil
	assert.Equal(t, "-", now.listeners()[0][4], "what is not known yet")
}

func TestTopLooksSeveralTimes(t *testing.T) {
	g := newOperated(t)
	require.Equal(t, 404, g.status(t, "GET", "/secret"))
	got := try("top", "-c", g.file, "--count", "2", "--interval", "100ms")
	require.Equal(t, exitFine, got.code, got.stderr)
	assert.Equal(t, 2, strings.Count(got.stdout, "is serving for"))
	assert.Contains(t, got.stdout, "/secret")

	got = try("top", "-c", g.file, "--count", "2", "--interval", "100ms", "-o", "json")
	require.Equal(t, exitFine, got.code, got.stderr)
	for line := range strings.Lines(got.stdout) {
		var l look
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		assert.Equal(t, g.command.Process.Pid, l.Status.PID)
		assert.Equal(t, "not_exposed", l.Recent.Refused[0].Reason)
	}
	got = try("top", "-c", g.file, "--interval", "1ms")
	assert.Equal(t, exitMistake, got.code)
	assert.Contains(t, got.stderr, "wanted at least 100ms")
}

func TestTopOfNoGateIsAFailure(t *testing.T) {
	p := newPlace(t)
	p.socket = t.TempDir() + "/none.sock"
	got := try("top", "-c", p.settings(t))
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "no gate answers on admin.socket "+p.socket)
}

// A gate that is restarted is away for a while: whoever watches wants to see it come back.
func TestTopWaitsForAGateThatIsAway(t *testing.T) {
	g := newOperated(t)
	var seen []*look
	w := watcher{sides: configs.Admin{Socket: g.socket}, interval: leastInterval, count: 2}
	require.NoError(t, w.watch(t.Context(), func(l *look) error {
		seen = append(seen, l)
		if len(seen) == 1 {
			require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
			require.NoError(t, g.end(t))
		}
		return nil
	}))
	assert.Empty(t, seen[0].Error)
	assert.Contains(t, seen[1].Error, "no gate answers")
	assert.Equal(t, seen[0].Status.PID, seen[1].Status.PID, "what was known")
	assert.Contains(t, seen[1].frame(300, 40, false), "What you see is old: no gate answers")
}

// newTerminal makes a pair of ends: what a program has, and what a person has.
func newTerminal(t *testing.T) (theirs, ours *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { ours.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { theirs.Close() })
	return theirs, ours
}

func TestATerminalIsLeftAsItWas(t *testing.T) {
	g := newOperated(t)
	theirs, ours := newTerminal(t)
	before, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
	require.NoError(t, err)
	for name, leave := range map[string]func(*os.Process){
		"q":       func(*os.Process) { ours.WriteString("q") },
		"Ctrl-C":  func(*os.Process) { ours.WriteString("\x03") },
		"SIGTERM": func(p *os.Process) { p.Signal(syscall.SIGTERM) },
	} {
		command := exec.Command(os.Args[0], "top", "-c", g.file, "--interval", "1h")
		command.Env = append(os.Environ(), asProgram+"=1", "TERM=xterm")
		command.Stdin, command.Stdout, command.Stderr = theirs, theirs, theirs
		require.NoError(t, command.Start())
		readUntil(t, ours, "is serving for")
		require.NoError(t, command.Process.Signal(syscall.SIGWINCH))
		readUntil(t, ours, "is serving for")
		leave(command.Process)
		readUntil(t, ours, leaveScreen)
		require.NoError(t, command.Wait(), name)
		after, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
		require.NoError(t, err)
		assert.Equal(t, before, after, name)
	}
}

// readUntil reads what a program has written until a text comes.
func readUntil(t *testing.T, from *os.File, text string) {
	t.Helper()
	over := time.AfterFunc(20*time.Second, func() { from.Close() })
	defer over.Stop()
	var heard []byte
	part := make([]byte, 4096)
	for !bytes.Contains(heard, []byte(text)) {
		n, err := from.Read(part)
		require.NoError(t, err, "%q did not come, but %q", text, heard)
		heard = append(heard, part[:n]...)
	}
}
