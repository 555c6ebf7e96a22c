package wirecheck

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/trackgate/trackgate/internal/program"
)

// gate is where the listeners of a running gate are.
type gate struct {
	open   string // public, and gui for those who may
	closed string // gui for others than us
	pid    int    // 0 where it is not a process of its own
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
    timeouts: %[5]s
timeouts: %[6]s
limits: {handshakes_per_client: 0}
tls: {issuer: internal, storage: "%[4]s"}
admin: {socket: "", address: ""}
`

// waits are how long a gate waits for backends and for clients, in its settings.
type waits struct{ backends, clients string }

func usual() waits { return waits{backends: "{response: 2s}", clients: "{}"} }

// startGate runs the binary in front of r until the test ends.
func startGate(t *testing.T, binary string, r *recorder, w waits) gate {
	t.Helper()
	g := gate{open: program.FreeAddress(t), closed: program.FreeAddress(t)}
	all := fmt.Sprintf(settings, g.open, g.closed, r.address(), t.TempDir(), w.backends, w.clients)
	g.pid = program.Run(t, binary, all).PID()
	program.AwaitListener(t, g.open)
	program.AwaitListener(t, g.closed)
	return g
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
	if c.Protocol == http2Protocol {
		protocols = []string{http2Protocol}
	}
	if c.TLS.ALPN != nil {
		protocols = *c.TLS.ALPN
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", address,
		&tls.Config{InsecureSkipVerify: true, ServerName: name, NextProtos: protocols})
}
