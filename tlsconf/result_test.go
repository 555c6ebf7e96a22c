package tlsconf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// The words for refusals stand beside the refusals in the other tests; here is
// what the other side of the connection does.
func TestResultOfWhatClientsDo(t *testing.T) {
	config := newGate(t).keeper.Config([]configs.Listener{track(), gui()})
	for _, test := range []struct {
		name   string
		client func(conn net.Conn)
		result string
	}{
		{"closes at once", func(conn net.Conn) { conn.Close() }, "client_closed"},
		{"closes in its hello", func(conn net.Conn) {
			_, _ = conn.Write([]byte{22, 3, 1, 1, 0, 1})
			conn.Close()
		}, "client_closed"},
		{"resets", func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}, "client_closed"},
		{"says nothing", func(net.Conn) {}, "timeout"},
		{"stalls in its hello", func(conn net.Conn) { _, _ = conn.Write([]byte{22, 3, 1, 1}) }, "timeout"},
		{"stalls after its hello", stallsAfter(&tls.Config{}), "timeout"},
		{"stalls after its hello of TLS 1.2", stallsAfter(&tls.Config{MaxVersion: tls.VersionTLS12}), "timeout"},
		{"stalls where it is to say hello again", stallsAfter(&tls.Config{
			CurvePreferences: []tls.CurveID{tls.CurveP521, tls.CurveP256},
		}), "timeout"},
		{"stalls where it is to close", func(conn net.Conn) {
			_ = tls.Client(&deafAfter{Conn: conn, writes: 1}, &tls.Config{
				ServerName: "gui.example.com", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
			}).Handshake()
		}, "timeout"},
		{"does not trust", func(conn net.Conn) {
			_ = tls.Client(conn, &tls.Config{ServerName: "track.example.com"}).Handshake()
		}, "client_alert"},
		{"is content", func(conn net.Conn) {
			_ = tls.Client(conn, &tls.Config{ServerName: "gui.example.com", InsecureSkipVerify: true}).Handshake()
		}, "ok"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := connected(t)
			patience := 10 * time.Second
			if test.result == "timeout" {
				patience = 50 * time.Millisecond
			}
			require.NoError(t, server.SetDeadline(time.Now().Add(patience)))
			var other sync.WaitGroup
			other.Go(func() { test.client(client) })
			err := tls.Server(server, config).Handshake()
			server.Close()
			other.Wait()
			require.Equal(t, test.result, HandshakeResult(err), "%v", err)
		})
	}
}

// stallsAfter is a client that says hello and nothing more.
func stallsAfter(config *tls.Config) func(net.Conn) {
	return func(conn net.Conn) {
		config.ServerName = "track.example.com"
		sink := &recorder{}
		_ = tls.Client(sink, config).Handshake()
		_, _ = conn.Write(sink.Bytes())
	}
}

// deafAfter lets some writes through and swallows the others.
type deafAfter struct {
	net.Conn
	writes int
}

func (c *deafAfter) Write(b []byte) (int, error) {
	if c.writes--; c.writes < 0 {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// connected returns both ends of a TCP connection.
func connected(t *testing.T) (client, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

func TestResultsAreAClosedList(t *testing.T) {
	for _, test := range []struct {
		err    error
		result string
	}{
		{fmt.Errorf("handshake: %w", syscall.EPIPE), "client_closed"},
		{fmt.Errorf("handshake: %w", context.DeadlineExceeded), "timeout"},
		{errors.New("ok\nunknown_name"), "failed"},
		{errors.New("x: tls: no certificates configured"), "failed"},
		{net.ErrClosed, "failed"},
	} {
		require.Equal(t, test.result, HandshakeResult(test.err), "%v", test.err)
		require.True(t, slices.Contains(HandshakeResults(), test.result))
	}
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(HandshakeResults()))), 16)
}
