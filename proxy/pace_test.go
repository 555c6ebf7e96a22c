package proxy_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

func TestHandshakesOfAClientArePaced(t *testing.T) {
	t.Parallel()
	one := testbed.Section("limits: {handshakes_per_client: 1}") // and four at once
	edge := testbed.HTTP2.Edge(t, testbed.Pool(testbed.Backend(t).Addr), one)
	first := edge.Dial(t, testbed.Way{From: "127.0.0.5"})
	require.Eventually(t, func() bool {
		_, err := edge.TryDial(t, testbed.Way{From: "127.0.0.5"})
		return err != nil
	}, testbed.Patience, time.Millisecond, "handshake after handshake")
	assert.Positive(t, refusals(t, edge, "handshakes_per_client"), "an operator can see it")
	edge.Journal(t, "handshakes_per_client")

	first.Post(t, "/track", event).HasStatus(200)
	edge.Dial(t, testbed.Way{From: "127.0.0.6"})
	require.Eventually(t, func() bool {
		_, err := edge.TryDial(t, testbed.Way{From: "127.0.0.5"})
		return err == nil
	}, testbed.Patience, 50*time.Millisecond, "a second later")
}

// The PROXY header says who shakes hands; its sender would be all of them.
func TestHandshakesBehindASenderArePacedByClient(t *testing.T) {
	t.Parallel()
	edge := testbed.HTTP2.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Listener("proxy_protocol: [127.0.0.1]"),
		testbed.Section("limits: {handshakes_per_client: 1}"))
	for i := range 12 {
		edge.Dial(t, testbed.Way{Before: "PROXY TCP4 203.0.113." + strconv.Itoa(i) + " 192.0.2.1 5000 443\r\n"})
	}
	again := testbed.Way{Before: "PROXY TCP4 203.0.113.1 192.0.2.1 5000 443\r\n"}
	require.Eventually(t, func() bool {
		_, err := edge.TryDial(t, again)
		return err != nil
	}, testbed.Patience, time.Millisecond)
}

// A trusted proxy brings many clients, and plain HTTP has no handshakes.
func TestWhoseHandshakesAreNotPaced(t *testing.T) {
	t.Parallel()
	slow := testbed.Section("limits: {handshakes_per_client: 1}")
	for name, row := range map[string]struct {
		options []testbed.Option
		way     testbed.Way
	}{
		"a trusted proxy": {[]testbed.Option{slow, testbed.Section("trusted_proxies: [127.0.0.1]")}, testbed.Way{}},
		"plain HTTP":      {[]testbed.Option{slow, testbed.Listener("tls: off")}, testbed.Way{Plain: true}},
		"without a rate":  {[]testbed.Option{testbed.Section("limits: {handshakes_per_client: 0}")}, testbed.Way{}},
	} {
		edge := testbed.Edge(t, append(row.options, testbed.Pool(testbed.Backend(t).Addr))...)
		for range 12 {
			client := edge.Dial(t, row.way)
			client.Ask(t, "GET /docs").HasStatus(404)
			client.Close()
		}
		require.Zero(t, refusals(t, edge, "handshakes_per_client"), name)
	}
}
