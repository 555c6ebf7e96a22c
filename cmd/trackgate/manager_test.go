package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/internal/program"
)

// manager is the service manager that a gate is started by.
type manager struct {
	socket   *net.UnixConn
	patience string // of its watchdog, in microseconds
}

func newManager(t *testing.T, patience string) *manager {
	t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { socket.Close() })
	return &manager{socket, patience}
}

// environment is what systemd adds to that of a service.
func (m *manager) environment() []string {
	return append(os.Environ(), "NOTIFY_SOCKET="+m.socket.LocalAddr().String(), "WATCHDOG_USEC="+m.patience)
}

// hears returns the next message that has word in it, and those before.
func (m *manager) hears(t *testing.T, word string) (message string, before []string) {
	t.Helper()
	text := make([]byte, 1000)
	require.NoError(t, m.socket.SetReadDeadline(time.Now().Add(20*time.Second)))
	for {
		n, err := m.socket.Read(text)
		require.NoError(t, err, "%s was never said, but %q", word, before)
		if message = string(text[:n]); strings.Contains(message, word) {
			return message, before
		}
		before = append(before, message)
	}
}

// run starts a gate under the manager and returns it when it is ready.
func (m *manager) run(t *testing.T, binary, file string) *program.Process {
	t.Helper()
	command := exec.Command(binary, "run", "-c", file)
	command.Env = m.environment()
	return program.Start(t, command)
}

func TestALifeUnderAServiceManager(t *testing.T) {
	p := newPlace(t)
	m := newManager(t, "600000")
	gate := m.run(t, program.Build(t), p.settings(t))

	said, before := m.hears(t, "READY=1")
	assert.Equal(t, "READY=1\nSTATUS=serving 1 listener, 1 of 1 backend up", said)
	assert.Empty(t, before)
	conn, err := net.Dial("tcp", p.address)
	require.NoError(t, err, "ready, and nobody listens")
	conn.Close()
	for range 5 {
		m.hears(t, "WATCHDOG=1")
	}
	require.NoError(t, gate.Stop())
	said, _ = m.hears(t, "STOPPING=1")
	assert.Equal(t, "STOPPING=1\nEXTEND_TIMEOUT_USEC=33000000\nSTATUS=draining", said)
	assert.NotContains(t, gate.Output(t), "does not answer itself")
	assert.NotContains(t, gate.Output(t), "refused")
}

// Listeners where the program itself could not come in as a client, all limits used up,
// and a host that has no certificate yet.
func TestTheWatchdogIsAnsweredWhoeverMayComeIn(t *testing.T) {
	backend, proxied, gui, plain, address := program.FreeAddress(t), program.FreeAddress(t), program.FreeAddress(t), program.FreeAddress(t), program.FreeAddress(t)
	ca, err := filepath.Abs("testdata/clients.pem")
	require.NoError(t, err)
	file := settings(t, `
listeners:
  - {name: proxied, kind: public, address: "`+proxied+`", hosts: ["localhost", "*.example.com"], pool: p, proxy_protocol: [192.0.2.1]}
  - {name: gui, kind: gui, address: "`+gui+`", hosts: ["*.example.org"], clients: [192.0.2.1], deny: drop, pool: p}
  - {name: staff, kind: public, address: "`+gui+`", hosts: ["localhost"], client_certificates: {ca: "`+ca+`"}, pool: p}
  - {name: bare, kind: public, address: "`+address+`", hosts: ["127.0.0.1"], pool: p}
  - {name: plain, kind: redirect, address: "`+plain+`"}
pools:
  - {name: p, backends: ["http://`+backend+`"], health: {interval: 0s}}
tls: {issuer: internal, storage: `+t.TempDir()+`}
limits: {connections: 1, handshakes_per_client: 1}
admin: {address: ""}
`)
	m := newManager(t, "600000")
	gate := m.run(t, program.Build(t), file)
	m.hears(t, "READY=1")
	conn, err := net.Dial("tcp", plain)
	require.NoError(t, err)
	defer conn.Close()
	for range 5 {
		m.hears(t, "WATCHDOG=1")
	}
	assert.NotContains(t, gate.Output(t), "does not answer itself")
}

// A gate that works, but whose door has fallen shut.
func TestAGateThatLostItsDoorIsNotSaidToLive(t *testing.T) {
	p := newPlace(t)
	m := newManager(t, "400000")
	gate := m.run(t, program.Build(t), p.settings(t))
	m.hears(t, "READY=1")
	m.hears(t, "WATCHDOG=1")

	shut(t, gate.PID(), p.address)

	require.Eventually(t, func() bool {
		return strings.Count(gate.Output(t), "the gate does not answer itself") > 20 // in half a second
	}, 20*time.Second, 10*time.Millisecond)
	m.silent(t)
	require.NoError(t, gate.Stop())
	m.hears(t, "STOPPING=1")
}

// silent demands that the watchdog was not answered in the last while: what it was
// before is in the socket still.
func (m *manager) silent(t *testing.T) {
	t.Helper()
	text := make([]byte, 1000)
	for pings := 0; ; pings++ {
		require.NoError(t, m.socket.SetReadDeadline(time.Now().Add(time.Second)))
		if _, err := m.socket.Read(text); err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			return
		}
		require.Less(t, pings, 3, "%s", text)
	}
}

// shut ends the socket on which a process listens on an address, behind its back.
func shut(t *testing.T, pid int, address string) {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	defer unix.Close(process)
	for fd := range 64 {
		socket, err := unix.PidfdGetfd(process, fd, 0)
		if errors.Is(err, unix.EPERM) {
			t.Skip("this system lets no process have another one's sockets: ", err)
		}
		if err != nil {
			continue
		}
		listens, _ := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if listens == 1 {
			require.NoError(t, unix.Shutdown(socket, unix.SHUT_RDWR))
		}
		unix.Close(socket)
	}
	_, err = net.Dial("tcp", address)
	require.ErrorIs(t, err, unix.ECONNREFUSED)
}
