package proxy_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// watcher is where these tests' own connections come from; a gate of its own program
// would know the port as well.
const watcher = "127.0.0.9"

func fromWatcher(from netip.AddrPort) bool { return from.Addr().String() == watcher }

// A gate that is busy, or lets only some come in, must not look dead to its own program.
func TestNothingStandsBeforeAProbeOfOurOwn(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{
		"limits":       {"limits: {connections: 1, handshakes_per_client: 1}"},
		"PROXY header": {"limits: {}", "proxy_protocol: [127.0.0.1]"},
		"ranges":       {"limits: {}", "kind: gui", "clients: [203.0.113.7]", "deny: drop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section(keys[0]), testbed.Listener(keys[1:]...), testbed.Own(fromWatcher))
			if name == "limits" {
				edge.Dial(t, testbed.Way{}).Ask(t, "GET /docs").HasStatus(404) // and is still there
			}
			_, err := edge.TryDial(t, testbed.Way{From: "127.0.0.8"})
			require.Error(t, err, "a stranger")
			before := edge.Metrics(t)
			for range 8 {
				_, err := edge.TryDial(t, testbed.Way{From: watcher})
				assert.NoError(t, err)
			}
			assert.Equal(t, before, edge.Metrics(t), "nobody counts it")
		})
	}
}

// Whatever a probe may pass by, a request must not.
func TestNoRequestFollowsAProbeOfOurOwn(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Own(fromWatcher))
	client, err := edge.TryDial(t, testbed.Way{From: watcher})
	require.NoError(t, err)
	client.Offer(testbed.Head("POST /track", "Content-Length: 2") + "{}")
	client.Closed(t)
	edge.Drain()
	edge.Ended(t)
	assert.Zero(t, backend.Heads())
	edge.NoLogLine(t)
}
