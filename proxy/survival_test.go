package proxy_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/proxy"
)

// lines hands on what is logged.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// next waits for a line.
func (l lines) next() string {
	select {
	case line := <-l:
		return line
	case <-time.After(testbed.Patience):
		return "no line came"
	}
}

// clumsy starts a gate whose handshakes panic.
func clumsy(t *testing.T, backend string) (*proxy.Gate, lines) {
	t.Helper()
	settings, err := configs.Parse("test.yaml", fmt.Appendf(nil, `
listeners: [{name: sealed, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: one}]
pools: [{name: one, backends: ["http://%s"], health: {interval: 0}}]
tls: {issuer: internal, storage: /nowhere}
limits: {connections: 10}
`, backend), nil)
	require.NoError(t, err)
	settings.Listeners[0].Address = "127.0.0.1:0"
	log := make(lines, 100)
	gate, err := proxy.New(settings, proxy.Parts{
		Certify: func([]configs.Listener) *tls.Config {
			return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { panic("no hands") }}
		},
		Log: zerolog.New(log), Access: accesslog.New(accesslog.Options{}), Metrics: metrics.New(metrics.Build{}),
	})
	require.NoError(t, err)
	require.NoError(t, gate.Listen(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		gate.Run(t.Context())
	}()
	t.Cleanup(func() { <-done })
	return gate, log
}

func TestAPanicInAHandshakeDoesNotEndTheGate(t *testing.T) {
	t.Parallel()
	gate, log := clumsy(t, testbed.DeadAddr(t))
	for range 2 {
		nc, err := net.Dial("tcp", gate.Addrs()[0].String())
		require.NoError(t, err)
		assert.Error(t, tls.Client(nc, &tls.Config{ServerName: testbed.Host}).Handshake())
		assert.Contains(t, log.next(), `"panic":"no hands","stack":"goroutine `)
		nc.Close()
	}
	require.Eventually(t, func() bool { return gate.Connections() == 0 }, testbed.Patience, tick, "counted out")
}

func TestAPanicCostsNobodyElseTheirConnection(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.By(func(r testbed.Request) string {
			if strings.Contains(r.Line, "?bad") {
				return "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"
			}
			return ""
		}))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1"),
			testbed.Listener("hide_errors: true"), testbed.Traps("was hidden"))
		other, unlucky := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		other.Post(t, "/track", event).HasStatus(200)
		unlucky.Post(t, "/track", event).HasStatus(200)

		unlucky.Send(t, testbed.Head("POST /track?bad"))
		unlucky.Silent(t)

		assert.Contains(t, edge.Journal(t, "panic"), `"panic":"trapped"`)
		other.Post(t, "/track", event).HasStatus(200) // and the backend's one place is free again
		edge.Shows(t, p.Connections(), 1)
		edge.Shows(t, "trackgate_panics_total", 1)
	})
}
