package wirecheck

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gate is where the listeners of a running gate are.
type gate struct {
	open   string // public, and gui for those who may
	closed string // gui for others than us
}

// settings is what the gate is told: a public listener, the gui behind the same
// address, and a gui that the clients of this test may not use.
const settings = `
listeners:
  - name: public
    kind: public
    address: "%[1]s"
    hosts: ["edge.test"]
    allow: [{methods: [GET, HEAD, POST, PUT, OPTIONS], path: /track}]
    cors: off
    pool: recorder
  - {name: gui, kind: gui, address: "%[1]s", hosts: ["gui.edge.test"], clients: ["127.0.0.1"], pool: recorder}
  - {name: closed, kind: gui, address: "%[2]s", hosts: ["gui.edge.test"], clients: ["192.0.2.0/24"], pool: recorder}
pools:
  - name: recorder
    backends: ["http://%[3]s"]
    health: {interval: 0}
    timeouts: {response: 2s}
tls: {issuer: internal, storage: "%[4]s"}
admin: {socket: "", address: ""}
`

// stopsWithin is how long the gate may take to end when it is told to.
const stopsWithin = 30 * time.Second

// buildGate compiles the program as `make build` does.
func buildGate(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "trackgate")
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-o", binary}
	if raced {
		arguments = append(arguments, "-race")
	}
	build := exec.Command("go", append(arguments, "../../cmd/trackgate")...)
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}

// startGate runs the binary in front of r until the test ends, and then checks
// that it ends well.
func startGate(t *testing.T, binary string, r *recorder) gate {
	t.Helper()
	g := gate{open: freeAddress(t), closed: freeAddress(t)}
	file := filepath.Join(t.TempDir(), "trackgate.yaml")
	text := fmt.Sprintf(settings, g.open, g.closed, r.address(), t.TempDir())
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))

	var output bytes.Buffer
	program := exec.Command(binary, "run", "-c", file)
	program.Stdout, program.Stderr = &output, &output
	require.NoError(t, program.Start())
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	t.Cleanup(func() { stopGate(t, program, ended, &output) })
	awaitGate(t, g)
	return g
}

func stopGate(t *testing.T, program *exec.Cmd, ended chan error, output *bytes.Buffer) {
	program.Process.Signal(syscall.SIGTERM) // one that is gone already shows below
	select {
	case err := <-ended:
		assert.NoError(t, err, "the gate's end")
	case <-time.After(stopsWithin):
		program.Process.Kill()
		<-ended
		t.Errorf("the gate did not stop within %s", stopsWithin)
	}
	if t.Failed() {
		t.Logf("the gate wrote at last:\n%s", tail(output.String(), 4000))
	}
}

func tail(text string, most int) string {
	return text[max(0, len(text)-most):]
}

func awaitGate(t *testing.T, g gate) {
	t.Helper()
	for _, c := range []clientCase{{Listener: "public"}, {Listener: "gui_denied"}} {
		require.Eventually(t, func() bool {
			conn, err := g.dial(c)
			if err != nil {
				return false
			}
			conn.Close()
			return true
		}, 20*time.Second, 50*time.Millisecond, "the gate does not answer as %s", c.Listener)
	}
}

// freeAddress finds a port below those that the system gives to outgoing
// connections, so that none of these can take it before the gate does.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	require.Fail(t, "no free port")
	return ""
}

// dial connects as c wants it.
func (g gate) dial(c clientCase) (*tls.Conn, error) {
	address, name := g.open, publicHost
	switch c.Listener {
	case "gui_allowed":
		name = guiHost
	case "gui_denied":
		address, name = g.closed, guiHost
	}
	if c.TLS.SNI != "" {
		name = names(c.TLS.SNI)
	}
	protocols := []string{"http/1.1"}
	if c.TLS.ALPN != nil {
		protocols = *c.TLS.ALPN
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", address,
		&tls.Config{InsecureSkipVerify: true, ServerName: name, NextProtos: protocols})
}

func TestFreeAddressesCanBeListenedOn(t *testing.T) {
	address := freeAddress(t)
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	l.Close()
	assert.True(t, strings.HasPrefix(address, "127.0.0.1:"))
	assert.Equal(t, "bc", tail("abc", 2))
	assert.Equal(t, "abc", tail("abc", 5))
}
