//go:build scenario

package scenario

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/websocket"

	"github.com/trackgate/trackgate/internal/faults"
)

// parlor is a GUI behind the gate whose websockets say what they hear.
type parlor struct{ address, backend string }

func newParlor(t *testing.T) parlor {
	t.Helper()
	s := httptest.NewServer(websocket.Handler(func(conn *websocket.Conn) { io.Copy(conn, conn) }))
	t.Cleanup(s.Close)
	return parlor{address: faults.Address(t), backend: s.URL}
}

// settings are its listener and its pool.
func (p parlor) settings() further {
	return further{
		listeners: fmt.Sprintf("  - {name: gui, kind: gui, address: %q, hosts: [localhost], clients: [127.0.0.1], pool: parlor}\n", p.address),
		pools:     fmt.Sprintf("  - {name: parlor, backends: [%q], health: {interval: 0s}}\n", p.backend),
	}
}

// talk is a websocket on which something is said again and again, and heard.
type talk struct {
	conn  *websocket.Conn
	leave chan struct{}
	ended chan error
	heard int // times; valid once it has ended
}

// talk begins one, on terms that the reloads of a scenario leave alone.
func (p parlor) talk(t *testing.T, config *tls.Config) *talk {
	t.Helper()
	wanted, err := websocket.NewConfig("wss://localhost/talk", "https://localhost")
	require.NoError(t, err)
	raw, err := tls.Dial("tcp", p.address, config)
	require.NoError(t, err)
	t.Cleanup(func() { raw.Close() })
	conn, err := websocket.NewClient(wanted, raw)
	require.NoError(t, err)
	k := &talk{conn: conn, leave: make(chan struct{}), ended: make(chan error, 1)}
	go func() { k.ended <- k.run() }()
	return k
}

// run talks until it is told to leave.
func (k *talk) run() error {
	for ; ; k.heard++ {
		k.conn.SetDeadline(time.Now().Add(recovery))
		said := fmt.Sprintf("for the time number %d", k.heard)
		if err := websocket.Message.Send(k.conn, said); err != nil {
			return err
		}
		var heard string
		if err := websocket.Message.Receive(k.conn, &heard); err != nil {
			return err
		}
		if heard != said {
			return fmt.Errorf("%w: %q", errMixed, heard)
		}
		select {
		case <-time.After(part):
		case <-k.leave:
			return k.conn.Close()
		}
	}
}

// lasted demands that the talk goes on to this moment, and ends it.
func (k *talk) lasted(t *testing.T, least int) {
	t.Helper()
	close(k.leave)
	assert.NoError(t, <-k.ended, "a websocket was cut after %d times", k.heard)
	assert.GreaterOrEqual(t, k.heard, least, "times that it was heard")
}
