package tlsconf

import (
	"bytes"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// track and gui are two listeners of one address.
func track() configs.Listener {
	return configs.Listener{Name: "public", Kind: configs.Public, TLS: true, Hosts: []string{"track.example.com", "t.example.com"}}
}

func gui() configs.Listener {
	return configs.Listener{Name: "gui", Kind: configs.GUI, TLS: true, Hosts: []string{"gui.example.com"}}
}

// gate is a Keeper behind a real TCP listener on loopback.
type gate struct {
	keeper *Keeper
	log    *log
	root   signer
	addr   string
	ends   chan end // of handshakes, as the server saw them
}

// end is how a handshake ended for the server.
type end struct {
	err      error
	listener int // -1: none was chosen
}

// newGate serves track and gui with one certificate for all.
func newGate(t testing.TB, listeners ...configs.Listener) *gate {
	if len(listeners) == 0 {
		listeners = []configs.Listener{track(), gui()}
	}
	return serve(t, prepared(t, listeners), listeners)
}

// prepared is a gate that nobody can reach yet.
func prepared(t testing.TB, listeners []configs.Listener) *gate {
	root := newRoot(t)
	files := root.pair(t, t.TempDir(), "tls", order{hosts: hostsOf(listeners)})
	l := &log{}
	k, err := New(configs.TLS{Files: []configs.KeyPair{files}, HybridKeyExchange: true}, listeners, l.logger())
	require.NoError(t, err)
	return &gate{keeper: k, log: l, root: root}
}

func serve(t testing.TB, g *gate, listeners []configs.Listener) *gate {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g.addr, g.ends = l.Addr().String(), make(chan end, 16)
	config := g.keeper.Config(listeners)
	var handshakes sync.WaitGroup
	handshakes.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handshakes.Go(func() { g.ends <- greet(conn, config) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		handshakes.Wait()
	})
	return g
}

// greet does a handshake, and after it answers one byte with another: so the
// client has read its ticket.
func greet(conn net.Conn, config *tls.Config) end {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	tagged := &taggedConn{Conn: conn, listener: -1}
	server := tls.Server(tagged, config)
	if err := server.Handshake(); err != nil {
		return end{err: err, listener: tagged.listener}
	}
	_, err := server.Read(make([]byte, 1))
	if err == nil {
		_, err = server.Write([]byte{'!'})
	}
	return end{err: err, listener: tagged.listener}
}

// taggedConn is told the listener.
type taggedConn struct {
	net.Conn
	listener int
}

func (c *taggedConn) SetListener(index int) { c.listener = index }

// client trusts the gate's root and asks for name; without one it takes any.
func (g *gate) client(name string) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: g.root.pool(), InsecureSkipVerify: name == ""}
}

// visit connects, exchanges a byte and returns how both sides ended.
func (g *gate) visit(t testing.TB, client *tls.Config) (tls.ConnectionState, end, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", g.addr, client)
	if err != nil {
		return tls.ConnectionState{}, <-g.ends, err
	}
	defer conn.Close()
	_, err = conn.Write([]byte{'?'})
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState(), <-g.ends, err
}

// ok is a visit where all must be well.
func (g *gate) ok(t testing.TB, client *tls.Config) tls.ConnectionState {
	t.Helper()
	state, end, err := g.visit(t, client)
	require.NoError(t, err)
	require.NoError(t, end.err)
	return state
}

// log collects lines.
type log struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(line)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func (l *log) logger() zerolog.Logger { return zerolog.New(l) }

// clock is a time that only tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
