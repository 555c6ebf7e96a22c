package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/proxy"
)

func TestADrainFinishesWhatRunsAndTakesNothingNew(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready), testbed.Says("done"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
		require.Eventually(t, func() bool { return edge.Ready() == nil }, testbed.Patience, tick)
		idle := edge.Dial(t, testbed.Way{})
		idle.Ask(t, "GET /docs").HasStatus(404).Stays()
		fresh := edge.Dial(t, testbed.Way{})
		asleep := edge.Dial(t, testbed.Way{Plain: true}) // in its handshake
		running := edge.Dial(t, testbed.Way{})
		running.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)

		edge.Drain()

		require.Eventually(t, func() bool { return edge.Ready() == proxy.ErrDraining }, testbed.Patience, tick)
		idle.Silent(t)
		fresh.Silent(t)
		asleep.Close()
		require.Eventually(t, func() bool {
			_, err := edge.TryDial(t, testbed.Way{Plain: true})
			return err != nil
		}, testbed.Patience, tick, "nothing new")

		close(ready)
		running.Answer(t, "POST").HasStatus(200).HasBody("done").Closes()
		running.Silent(t)
		edge.Ended(t)
		edge.NextLogLine(t).Has("status", 404)
		edge.NextLogLine(t).Has("status", 200).Has("reason", "ok")
	})
}

func TestARequestThatComesDuringADrainIsTheLastOfItsConnection(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Says("done"))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
	client := edge.Dial(t, testbed.Way{})
	client.Send(t, "POST /track HTTP/1.1\r\nHost: track.test\r\nContent-")
	client2 := edge.Dial(t, testbed.Way{})
	client2.Ask(t, "GET /docs").HasStatus(404) // by now the first one's bytes are there as well
	edge.Drain()
	client2.Silent(t)
	client.Send(t, "Length: 2\r\n\r\nhi"+testbed.Head("POST /track"))
	client.Answer(t, "POST").HasStatus(200).HasBody("done").Closes()
	client.Silent(t)
	edge.Ended(t)
	assert.Equal(t, 1, backend.Heads())
}

func TestWhenTheDrainTimeIsOverTheRestIsCut(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		hanging := testbed.Backend(t, testbed.Hangs())
		halfway := testbed.Backend(t, testbed.Early("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhalf"), testbed.Hangs())
		for name, row := range map[string]struct {
			backend *testbed.Actor
			raw     string
			status  int
		}{
			"no answer":  {hanging, testbed.Head("POST /track"), 502},
			"an answer":  {halfway, testbed.Head("POST /track"), 200},
			"an upload":  {hanging, testbed.Head("POST /track", "Content-Length: 200000") + text(100_000), 499},
			"half ahead": {hanging, "POST /track HTTP/1.1\r\nHost: track", 499},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				edge := p.Edge(t, testbed.Pool(row.backend.Addr), testbed.PoolKeys("timeouts: {response: 10m}"),
					testbed.Section("timeouts: {drain: 100ms, head: 10m, body: 10m}"))
				client := edge.Dial(t, testbed.Way{})
				client.Send(t, row.raw)
				edge.Shows(t, p.Connections(), 1)
				other := edge.Dial(t, testbed.Way{})
				other.Ask(t, "GET /docs").HasStatus(404)
				edge.Drain()
				edge.Ended(t)
				edge.Journal(t, "the drain time is over")
				edge.NextLogLine(t).Has("status", 404)
			})
		}
	})
}

func TestARequestThatWasSentBeforeADrainIsNotLost(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, wait := range map[string]func(*testing.T){"awake": func(*testing.T) {}, "asleep": asleep} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t)
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
				clients := make([]*testbed.Client, 40)
				for i := range clients {
					clients[i] = edge.Dial(t, testbed.Way{})
					clients[i].Ask(t, "GET /docs").HasStatus(404).Stays()
				}
				wait(t)
				for _, c := range clients {
					c.Send(t, testbed.Head("POST /track"))
				}
				edge.Drain()
				for _, c := range clients {
					c.Answer(t, "POST").HasStatus(200)
				}
				edge.Ended(t)
			})
		}
	})
}

func TestASleepingConnectionEndsWithTheDrain(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
		client := edge.Dial(t, testbed.Way{})
		client.Post(t, "/track", event).HasStatus(200)
		asleep(t)
		edge.Drain()
		edge.Ended(t)
		client.Silent(t)
	})
}

// Who waits for a backend is told when nobody can come any more, and may come
// again elsewhere.
func TestWhoWaitsForABackendIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		defer close(ready)
		busy := testbed.Backend(t, testbed.Waits(ready))
		edge := p.Edge(t, testbed.Pool(busy.Addr), testbed.PoolKeys("max_connections: 1", "queue: {busy: 1m}"))
		running, waiting := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		running.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return busy.Heads() == 1 }, testbed.Patience, tick)
		waiting.Send(t, testbed.Head("POST /track"))
		edge.Shows(t, `trackgate_pool_waiting_requests{pool="collectors"}`, 1)

		edge.Drain()

		waiting.Answer(t, "POST").IsEdge(503, "draining").HasField("retry-after", "1").Closes()
	})
}

func TestATunnelIsCutWhenTheDrainTimeIsOver(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, echoes...)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
		client := edge.Dial(t, testbed.Way{})
		client.Ask(t, "GET /ws", handshake...).HasStatus(p.Switched())
		edge.Drain()
		edge.Ended(t)
	})
}

func TestAGateThatDoesNotServeYetIsNotReady(t *testing.T) {
	t.Parallel()
	edge := testbed.Assembled(t, testbed.Pool(testbed.DeadAddr(t)))
	assert.Equal(t, proxy.ErrNotServing, edge.Ready())
}

func TestAnAddressInUseNamesWhoHasIt(t *testing.T) {
	t.Parallel()
	holder := testbed.Backend(t)
	_, port, _ := strings.Cut(holder.Addr, ":")
	edge := testbed.Assembled(t, testbed.YAML(`
listeners:
  - {name: free, kind: redirect, address: "127.0.0.1:80"}
  - {name: taken, kind: redirect, address: "127.0.0.1:%s"}
  - {name: also, kind: redirect, address: "127.0.0.2:443"}
`, port), testbed.KeepPorts(port))
	err := edge.Listen(t.Context())
	require.ErrorContains(t, err, "listener taken: address "+holder.Addr)
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, "(held by proxy.test, process ")
	assert.NotContains(t, err.Error(), "listener free")
}

// Whoever is before the gate hears that it leaves before anybody is refused.
func TestALeaveIsAnnounced(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := serving(t, p, testbed.Pool(backend.Addr), testbed.Section("timeouts: {announce: 1s, drain: 1m}"))
		client, idle := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		for _, c := range []*testbed.Client{client, idle} {
			c.Post(t, "/track", event).HasStatus(200).Stays()
		}
		edge.Drain()
		require.Eventually(t, func() bool { return edge.Ready() == proxy.ErrDraining }, testbed.Patience, tick)
		if p == testbed.HTTP1 {
			client.Post(t, "/track", event).HasStatus(200).Closes()
		} else {
			client.Silent(t)
		}
		edge.Dial(t, testbed.Way{}).Post(t, "/track", event).HasStatus(200).Closes()
		idle.Silent(t)
		edge.Ended(t)
		assert.GreaterOrEqual(t, backend.Heads(), 3)
	})
}

func TestALeaveMayBeTakenBack(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := serving(t, p, testbed.Pool(backend.Addr))
		edge.Retire()
		require.Equal(t, proxy.ErrDraining, edge.Ready())
		edge.Dial(t, testbed.Way{}).Post(t, "/track", event).HasStatus(200).Closes()
		require.NoError(t, edge.Stay())
		require.NoError(t, edge.Ready())
		edge.Dial(t, testbed.Way{}).Post(t, "/track", event).HasStatus(200).Stays()
	})
}

func TestALeaveOfAGateThatEndsIsNotTakenBack(t *testing.T) {
	t.Parallel()
	edge := serving(t, testbed.HTTP1, testbed.Pool(testbed.Backend(t).Addr), testbed.Section("timeouts: {announce: 1s, drain: 1s}"))
	edge.Drain()
	require.Eventually(t, func() bool { return edge.Ready() == proxy.ErrDraining }, testbed.Patience, tick)
	require.Equal(t, proxy.ErrDraining, edge.Stay())
	require.Equal(t, proxy.ErrDraining, edge.Ready())
	edge.Ended(t)
}
