package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
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

// logsTo starts a gate that logs to output, and asks it for something that it refuses.
func logsTo(t *testing.T, output string) *gate {
	t.Helper()
	p := newPlace(t)
	p.accessLog, p.admin = output, program.FreeAddress(t)
	g := start(t, os.Args[0], p)
	_, port, _ := net.SplitHostPort(p.address)
	res, err := client(t, filepath.Join(p.storage, "ca.pem")).Get("https://localhost:" + port + "/docs")
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 404, res.StatusCode)
	return g
}

func TestTheAccessLogGoesToASyslog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	logsTo(t, "tcp://"+l.Addr().String())

	conn, err := l.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	message, err := bufio.NewReader(conn).ReadString('}')
	require.NoError(t, err)
	assert.Regexp(t, `^\d+ <132>1 \S+Z \S+ trackgate \d+ access - \{"time":".*"level":"warn".*"path":"/docs","status":404,"reason":"not_exposed".*\}$`, message)
}

func TestASyslogThatIsAwayCostsLinesAlone(t *testing.T) {
	g := logsTo(t, "unix://"+filepath.Join(t.TempDir(), "nobody"))
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + g.admin + "/metrics")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(text), "trackgate_access_log_dropped_total 1\n")
	}, 20*time.Second, 10*time.Millisecond, "the line is counted")
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, g.end(t))
	assert.Contains(t, g.output.String(), "the access log cannot be written: lines are dropped")
}

// What logrotate does, to the whole program.
func TestAHangupLeavesALogThatWasMoved(t *testing.T) {
	p := newPlace(t)
	p.accessLog = filepath.Join(t.TempDir(), "access.log")
	g := start(t, os.Args[0], p)
	visitor := client(t, filepath.Join(p.storage, "ca.pem"))
	_, port, _ := net.SplitHostPort(p.address)
	ask := func() {
		res, err := visitor.Get("https://localhost:" + port + "/docs")
		require.NoError(t, err)
		res.Body.Close()
	}
	ask()
	require.Eventually(t, func() bool { return textOf(t, p.accessLog) != "" }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, os.Rename(p.accessLog, p.accessLog+".1"))
	require.NoError(t, g.command.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool {
		_, err := os.Stat(p.accessLog)
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	ask()
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, g.end(t))
	assert.Equal(t, 1, strings.Count(textOf(t, p.accessLog+".1"), "\n"))
	assert.Equal(t, 1, strings.Count(textOf(t, p.accessLog), "\n"))
}
