package proxy_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/proxy"
)

// asked asks a gate that runs, from loopback.
func asked(t *testing.T, edge *testbed.Gate, line string, forwarded ...string) *proxy.Verdict {
	t.Helper()
	require.Eventually(t, func() bool { return edge.Ready() != proxy.ErrNotServing }, testbed.Patience, tick)
	method, target, _ := strings.Cut(line, " ")
	v, err := edge.Explain(proxy.Question{
		Listener: "public", From: netip.MustParseAddr("127.0.0.1"), Method: method, ForwardedFor: forwarded, URL: target,
	})
	require.NoError(t, err)
	return v
}

// Whoever is said to be next is who gets the request, and to ask takes nobody's turn.
func TestARunningGateNamesWhoIsNext(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"round_robin", "least_busy", "two_choices"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			a, b, c := testbed.Backend(t, testbed.Says("a")), testbed.Backend(t, testbed.Says("b")), testbed.Backend(t, testbed.Says("c"))
			edge := testbed.Edge(t, testbed.Pool(a.Addr, b.Addr, c.Addr), testbed.PoolKeys("policy: "+policy, "health: {interval: 0}"))
			client := edge.Dial(t, testbed.Way{})
			names := map[string]string{"a": a.Addr, "b": b.Addr, "c": c.Addr}
			for range 20 {
				v := asked(t, edge, "POST /track")
				assert.Equal(t, v, asked(t, edge, "POST /track"))
				assert.Contains(t, steps(v), v.Backend+" (weight 1): up, no active checks: it is next\n")
				assert.Equal(t, 2, strings.Count(steps(v), "passed over, it is not its turn"))
				assert.Equal(t, v.Backend, names[client.Post(t, "/track", event).HasStatus(200).Body])
			}
		})
	}
}

func TestToExplainClaimsAndCountsNothing(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("health: {interval: 0}"))
	before := edge.Metrics(t)
	for range 50 {
		asked(t, edge, "POST /track")
		asked(t, edge, "GET /docs")
	}
	assert.Equal(t, before, edge.Metrics(t))
	assert.Equal(t, []int{0}, edge.Claimed())
	assert.Zero(t, backend.Heads())
}

func TestARunningGateSaysWhyOthersArePassedOver(t *testing.T) {
	t.Parallel()
	ready := make(chan struct{})
	defer close(ready)
	busy, draining, down := testbed.Backend(t, testbed.Waits(ready)), testbed.Backend(t), testbed.DeadAddr(t)
	edge := testbed.Edge(t, testbed.Pool(busy.Addr, draining.Addr, down),
		testbed.PoolKeys("max_connections: 1", "queue: {size: 0}", "health: {interval: 20ms, fall: 1}"))
	edge.Shows(t, up(down), 0)
	require.NoError(t, edge.DrainBackend("collectors", draining.Addr, true))

	v := asked(t, edge, "POST /track")
	assert.Equal(t, busy.Addr, v.Backend)
	assert.Contains(t, steps(v), draining.Addr+" (weight 1): ")
	assert.Contains(t, steps(v), "draining: passed over, it is draining\n")
	assert.Contains(t, steps(v), "passed over, it is down\n")

	edge.Dial(t, testbed.Way{}).Send(t, testbed.Head("POST /track"))
	require.Eventually(t, func() bool { return edge.Claimed()[0] == 1 }, testbed.Patience, tick)
	v = asked(t, edge, "POST /track")
	assert.Contains(t, steps(v), "full with 1 attempts: passed over, it is full\n")
	assert.Equal(t, "queue_full", v.Reason)
	assert.Equal(t, "pick", v.DecidedBy.Step)
	edge.Post(t, "/track", event).IsEdge(503, "queue_full")

	require.NoError(t, edge.DrainBackend("collectors", busy.Addr, true))
	assert.Equal(t, "no_backend", asked(t, edge, "POST /track").Reason)
	edge.Post(t, "/track", event).IsEdge(503, "no_backend")
}

func TestWhoWouldWaitIsNotRefused(t *testing.T) {
	t.Parallel()
	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.PoolKeys("queue: {wait: 7s}", "health: {interval: 5s}"))
	require.NoError(t, edge.DrainBackend("collectors", edge.Backends()[0].Backend, true))
	v := asked(t, edge, "POST /track")
	assert.True(t, v.Allowed)
	assert.Contains(t, steps(v), "it would wait, behind 0 others, for up to 7s; then 503 no_backend\n")
	edge.Retire()
	assert.Contains(t, steps(asked(t, edge, "POST /track")), "the gate says that it leaves")
}

// What is told of fields is what is sent.
func TestTheFieldsThatAreToldAreThoseThatAreSent(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Field("server", "uvicorn"), testbed.Field("access-control-allow-origin", "*"))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Section("trusted_proxies: [127.0.0.1]"),
		testbed.Listener("hsts: 180d", "client_ip_header: x-forwarded-ip"))
	v := asked(t, edge, "POST /track", "203.0.113.9, 127.0.0.1")
	assert.Equal(t, "203.0.113.9", v.Client)
	assert.Contains(t, steps(v), "respond: set: vary: Origin, strict-transport-security: max-age=15552000\n")
	assert.Contains(t, steps(v), "respond: dropped: server, x-process-time, strict-transport-security, access-control-*\n")

	res := edge.Post(t, "/track", event, "X-Forwarded-For: 203.0.113.9, 127.0.0.1", "Cookie: a=b", "Client-IP: 1.1.1.1")
	res.HasStatus(200).HasField("vary", "Origin").HasField("strict-transport-security", "max-age=15552000")
	sent := backend.Next(t)
	set, _, _ := strings.Cut(stepThat(t, v, "attempt", "set: "), ";")
	for field := range strings.SplitSeq(set, ", ") {
		name, value, _ := strings.Cut(field, ": ")
		if name == "x-request-id" {
			assert.Len(t, sent.Field(name), 1, "another one each time")
			continue
		}
		assert.Equal(t, []string{value}, sent.Field(name), name)
	}
	for name := range strings.SplitSeq(stepThat(t, v, "attempt", "dropped: "), ", ") {
		if name != "x-forwarded-for" && name != "x-request-id" { // which are set
			assert.Empty(t, sent.Field(name), name)
		}
	}
}

// stepThat returns the rest of the result of a step that begins like this.
func stepThat(t *testing.T, v *proxy.Verdict, step, beginning string) string {
	t.Helper()
	for _, s := range v.Steps {
		if rest, ok := strings.CutPrefix(s.Result, beginning); ok && s.Step == step {
			return rest
		}
	}
	require.FailNow(t, "no such step", steps(v))
	return ""
}

func TestExplainUsesTheSettingsOfNow(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr))
	assert.Equal(t, "not_exposed", asked(t, edge, "PUT /more").Reason)
	edge.Reload(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [track, {methods: [PUT], path: /more}]"))
	began := time.Now()
	v := asked(t, edge, "PUT /more")
	assert.Less(t, time.Since(began), 100*time.Millisecond)
	assert.Equal(t, "PUT /more", v.Route)
}
