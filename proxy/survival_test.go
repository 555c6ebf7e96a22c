package proxy_test

import (
	"bytes"
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

// trap panics where a line is logged that says word.
type trap struct {
	word  string
	lines chan string
}

// next waits for a line.
func (t *trap) next() string {
	select {
	case line := <-t.lines:
		return line
	case <-time.After(testbed.Patience):
		return "no line came"
	}
}

func (t *trap) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(t.word)) {
		panic("trapped")
	}
	t.lines <- string(p)
	return len(p), nil
}

// trapped starts a gate with one public listener that panics in the handshake,
// and one on plain HTTP that panics over a backend's 500.
func trapped(t *testing.T, backend string) (*proxy.Gate, *trap) {
	settings, err := configs.Parse("test.yaml", fmt.Appendf(nil, `
listeners:
  - {name: sealed, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: one}
  - {name: plain, kind: public, address: "127.0.0.1:80", hosts: [track.test], tls: off, hide_errors: true, pool: one}
pools: [{name: one, backends: ["http://%s"], health: {interval: 0}, max_connections: 1}]
tls: {issuer: internal, storage: /nowhere}
limits: {connections: 10}
`, backend), nil)
	require.NoError(t, err)
	settings.Listeners[0].Address, settings.Listeners[1].Address = "127.0.0.1:0", "127.0.0.1:00"
	log := &trap{word: "was hidden", lines: make(chan string, 100)}
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

func TestAPanicCostsNobodyElseTheirConnection(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.By(func(r testbed.Request) string {
		if strings.Contains(r.Line, "?bad") {
			return "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"
		}
		return ""
	}))
	gate, log := trapped(t, backend.Addr)
	ask := func(nc net.Conn, line string) string {
		_, err := nc.Write([]byte(testbed.Head(line)))
		require.NoError(t, err)
		answer := make([]byte, 12)
		n, _ := nc.Read(answer)
		return string(answer[:n])
	}
	dial := func(i int) net.Conn {
		nc, err := net.Dial("tcp", gate.Addrs()[i].String())
		require.NoError(t, err)
		t.Cleanup(func() { nc.Close() })
		return nc
	}
	other := dial(1)
	assert.Equal(t, "HTTP/1.1 200", ask(other, "POST /track"))

	assert.Error(t, tls.Client(dial(0), &tls.Config{ServerName: testbed.Host}).Handshake())
	assert.Contains(t, log.next(), `"panic":"no hands","stack":"goroutine `)
	assert.Empty(t, ask(dial(1), "POST /track?bad"), "who asked for it")
	assert.Contains(t, log.next(), `"panic":"trapped"`)

	assert.Equal(t, "HTTP/1.1 200", ask(dial(1), "POST /track"), "the backend's one place is free again")
	require.Eventually(t, func() bool { return gate.Connections() == 2 }, testbed.Patience, tick, "counted out")
}
