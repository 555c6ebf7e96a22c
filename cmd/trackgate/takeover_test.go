package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
	"github.com/trackgate/trackgate/proxy/pool"
)

// successorOf has another process take over, and ends it with the test.
func (g *operated) successorOf(t *testing.T) successor {
	t.Helper()
	got := try("upgrade", "-c", g.file)
	require.Equal(t, exitFine, got.code, got.stderr)
	var by successor
	_, err := fmt.Sscanf(got.stdout, "process %d serves now, process %d finishes what it has\n", &by.PID, &by.Before)
	require.NoError(t, err, got.stdout)
	t.Cleanup(func() {
		syscall.Kill(by.PID, syscall.SIGTERM) //nolint:errcheck // it may have ended
		assert.Eventually(t, func() bool { return program.IsGone(by.PID) }, 20*time.Second, 10*time.Millisecond)
	})
	return by
}

func TestAnotherProcessTakesOver(t *testing.T) {
	g := newOperated(t)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	first := g.successorOf(t)
	assert.Equal(t, g.command.Process.Pid, first.Before)
	relations, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", first.PID))
	require.NoError(t, err)
	assert.Contains(t, string(relations), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid()), "who started the first one follows it")
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	g.client.CloseIdleConnections()
	require.Eventually(t, func() bool { return program.IsGone(first.Before) }, 10*time.Second, 10*time.Millisecond, "it has nothing left to do")

	second := g.successorOf(t)
	assert.Equal(t, first.PID, second.Before)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	got := try("status", "-c", g.file, "-o", "json")
	assert.Contains(t, got.stdout, fmt.Sprintf(`"pid": %d`, second.PID))
	assert.FileExists(t, g.socket)
}

func TestVisitorsResumeAfterATakeover(t *testing.T) {
	g := newOperated(t)
	config := g.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName, config.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(1)
	resumed := func() bool {
		conn, err := tls.Dial("tcp", g.address, config)
		require.NoError(t, err)
		defer conn.Close()
		io.WriteString(conn, "GET /secret HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
		io.Copy(io.Discard, conn) // the ticket comes behind the handshake
		return conn.ConnectionState().DidResume
	}
	require.False(t, resumed())
	require.True(t, resumed())
	for range 2 {
		g.successorOf(t)
		assert.True(t, resumed())
	}
}

// backends are those of the process that serves.
func (g *operated) backends(t *testing.T) (states []pool.State) {
	t.Helper()
	got := try("backends", "-c", g.file, "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &states), got.stderr)
	return states
}

func TestADrainOutlivesATakeover(t *testing.T) {
	g := newOperated(t)
	first := g.backends(t)[0]
	require.Equal(t, exitFine, try("drain", "-c", g.file, first.Pool, first.Backend).code)
	g.successorOf(t)
	now := g.backends(t)[0]
	assert.Equal(t, first.Backend, now.Backend)
	assert.True(t, now.Draining)
	require.Equal(t, exitFine, try("undrain", "-c", g.file, first.Pool, first.Backend).code)
	g.successorOf(t)
	assert.False(t, g.backends(t)[0].Draining)
}

// What an operator has said in the middle of a takeover holds in the other process, or was
// not taken.
func TestADrainDuringATakeoverIsNotLost(t *testing.T) {
	g := newOperated(t)
	first := g.backends(t)[0]
	for i := range 4 {
		verb, want := "drain", true
		if i%2 == 1 {
			verb, want = "undrain", false
		}
		said := make(chan outcome)
		go func() {
			got := try(verb, "-c", g.file, first.Pool, first.Backend)
			if strings.Contains(got.stderr, errRelieved.Error()) {
				got = try(verb, "-c", g.file, first.Pool, first.Backend)
			}
			said <- got
		}()
		g.successorOf(t)
		got := <-said
		require.Equal(t, exitFine, got.code, got.stderr)
		assert.Equal(t, want, g.backends(t)[0].Draining, verb)
	}
}

// A gate that cannot be followed goes on: here the file of its settings is broken, and no
// verb could say so.
func TestATakeoverThatFailsChangesNothing(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, "pools:", "polls:")
	require.NoError(t, g.command.Process.Signal(syscall.SIGUSR2))
	require.Eventually(t, func() bool {
		assert.Equal(t, 200, g.status(t, "POST", "/track"))
		return strings.Contains(g.output.String(), "no other process has taken over")
	}, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, g.end(t))
}

// systemd opens the sockets and starts the gate with them (sd_listen_fds(3)).
func TestSocketsOfAServiceManagerAreUsed(t *testing.T) {
	p := newPlace(t)
	l, err := net.Listen("tcp", p.address)
	require.NoError(t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer file.Close()
	stray, err := net.Listen("tcp", program.FreeAddress(t))
	require.NoError(t, err)
	defer stray.Close()
	other, err := stray.(*net.TCPListener).File()
	require.NoError(t, err)
	defer other.Close()
	g := &gate{place: p, ended: make(chan error, 1)}
	g.command = exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" run -c "$1"`, os.Args[0], p.settings(t))
	g.command.Env = append(os.Environ(), asProgram+"=1")
	g.command.Stderr = &g.output
	g.command.ExtraFiles = []*os.File{file, other}
	require.NoError(t, g.command.Start())
	go func() { g.ended <- g.command.Wait() }()
	o := &operated{gate: g}
	require.Eventually(t, func() bool {
		_, err := os.Stat(p.storage + "/ca.pem")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	o.client = client(t, p.storage+"/ca.pem")
	assert.Equal(t, 502, o.status(t, "POST", "/track"), "it serves, and has no backend")
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, g.end(t))
	assert.Contains(t, g.output.String(), "a socket that was inherited is at no address of the settings")
}

func TestWhatIsForOneProcessIsNotHandedOn(t *testing.T) {
	for variable, want := range map[string]bool{
		"WATCHDOG_PID=1": true, "LISTEN_FDS=1": true, inheritVariable + "={}": true, "PATH=/bin": false, "NOTIFY_SOCKET=/run/x": false, "WATCHDOG_USEC=1": false,
	} {
		assert.Equal(t, want, ofThisProcess(variable), variable)
	}
}
