package proxy_test

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/proxy"
)

// serving starts a gate of which settings can be changed.
func serving(t *testing.T, p testbed.Protocol, options ...testbed.Option) *testbed.Gate {
	t.Helper()
	edge := p.Edge(t, options...)
	require.Eventually(t, func() bool { return edge.Ready() == nil }, testbed.Patience, tick)
	return edge
}

// longDrain keeps what leaves until it has.
var longDrain = testbed.Section("timeouts: {drain: 1m}")

// Rules hold for the next request, also on a connection that is open, awake or asleep.
func TestNewRulesHoldOnOpenConnections(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, two := testbed.Backend(t, testbed.Says("one")), testbed.Backend(t, testbed.Says("two"))
		edge := serving(t, p, testbed.Pool(one.Addr), longDrain)
		client := edge.Dial(t, testbed.Way{})
		client.Post(t, "/track", event).HasBody("one").Stays()
		client.Ask(t, "GET /track").HasStatus(405)

		edge.Reload(t, testbed.Pool(two.Addr), longDrain, testbed.Listener("allow: [track, {methods: [GET], path: /more}]"))
		client.Post(t, "/track", event).HasBody("two").Stays()
		client.Ask(t, "GET /more").HasBody("two").Stays()
		asleep(t)
		edge.Reload(t, testbed.Pool(two.Addr), longDrain, testbed.Listener("hosts: [other.test, 127.0.0.1]"))
		client.Post(t, "/track", event).IsEdge(421, "wrong_host")
		assert.Equal(t, 1.0, edge.Metric(t, p.Connections()), "the same one all the time")
	})
}

func TestClientsOutsideOfNewRangesAreRefusedOnOpenConnections(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := serving(t, p, testbed.Pool(backend.Addr), guiFor("127.0.0.1"), longDrain)
		client := edge.Dial(t, testbed.Way{})
		client.Ask(t, "GET /docs").HasStatus(200).Stays()
		edge.Reload(t, testbed.Pool(backend.Addr), guiFor("192.0.2.0/24"), longDrain)
		client.Ask(t, "GET /docs").IsEdge(403, "client_not_allowed")
	})
}

// A backend that stays keeps its connections and what is known of it, an exchange its
// backend, and a websocket its tunnel.
func TestWhatDoesNotChangeDoesNotNotice(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		goOn := make(chan struct{})
		stays, leaves := testbed.Backend(t), testbed.Backend(t, testbed.Waits(goOn), testbed.Says("late"))
		edge := serving(t, p, testbed.Pool(stays.Addr), longDrain)
		kept := edge.Dial(t, testbed.Way{})
		kept.Post(t, "/track", event).HasStatus(200).Stays()
		edge.Reload(t, testbed.Pool(stays.Addr, leaves.Addr), longDrain)
		running := edge.Dial(t, testbed.Way{})
		for sent := stays.Heads() + 1; ; sent++ { // one of two, by turns
			running.Send(t, testbed.Head("POST /track"))
			require.Eventually(t, func() bool { return stays.Heads()+leaves.Heads() == sent }, testbed.Patience, tick)
			if leaves.Heads() > 0 {
				break
			}
			running.Answer(t, http.MethodPost)
		}
		edge.Reload(t, testbed.Pool(stays.Addr), longDrain)
		close(goOn)
		running.Answer(t, http.MethodPost).HasStatus(200).HasBody("late").Stays()
		before := stays.Heads()
		for range 4 {
			kept.Post(t, "/track", event).HasStatus(200).Stays()
		}
		assert.Equal(t, before+4, stays.Heads(), "nobody asks the one that has left")
		states := edge.Backends()
		require.Len(t, states, 1)
		assert.Equal(t, stays.Addr, states[0].Backend)
		assert.Positive(t, states[0].Kept)
		assert.NotContains(t, strings.Join(edge.Metrics(t), "\n"), leaves.Addr, "its series have ended")
	})
}

func TestAWebsocketOutlivesChangesOfOtherThings(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, echoes...)
		edge := serving(t, p, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("GET /ws", handshake...))
		client.Answer(t, http.MethodGet).HasStatus(p.Switched())
		client.Hears(t, "welcome")
		edge.Reload(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1", "hsts: 180d"))
		<-time.After(200 * time.Millisecond) // longer than the drain time
		client.Send(t, "still here")
		client.Hears(t, "still here")
	})
}

// On other terms clients have to come again: what they wait for comes first, and a request
// that was on its way is not lost.
func TestConnectionsLeaveAListenerWithOtherTerms(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready), testbed.Says("done"))
		edge := serving(t, p, testbed.Pool(backend.Addr), longDrain)
		idle, late := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		sleeping := edge.Dial(t, testbed.Way{})
		for _, c := range []*testbed.Client{idle, late, sleeping} {
			c.Ask(t, "GET /docs").HasStatus(404).Stays()
		}
		asleep(t)
		idle.Ask(t, "GET /docs").HasStatus(404).Stays()
		running := edge.Dial(t, testbed.Way{})
		running.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)

		late.Send(t, testbed.Head("POST /track"))
		edge.Reload(t, testbed.Pool(backend.Addr), longDrain, testbed.Listener("limits: {body: 10KiB}"))
		for _, c := range []*testbed.Client{idle, sleeping} {
			if p == testbed.HTTP2 {
				c.Silent(t) // GOAWAY says which requests to send again
				continue
			}
			c.Ask(t, "GET /docs").HasStatus(404).Closes()
		}
		close(ready)
		running.Answer(t, http.MethodPost).HasStatus(200).HasBody("done").Closes()
		late.Answer(t, http.MethodPost).HasStatus(200)
		edge.Post(t, "/track", text(11<<10)).IsEdge(413, "body_too_large")
		require.NoError(t, edge.Ready())
	})
}

// A sender has said who the client is. Where it may do so no longer, the client comes again.
func TestConnectionsOfAFormerSenderLeave(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		of := func(senders string) []testbed.Option {
			return []testbed.Option{testbed.Pool(backend.Addr), guiFor("203.0.113.7", "proxy_protocol: ["+senders+"]"), longDrain}
		}
		edge := serving(t, p, of("127.0.0.1")...)
		client := edge.Dial(t, testbed.Way{Before: "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n"})
		client.Ask(t, "GET /docs").HasStatus(200).Stays()
		edge.Reload(t, of("127.0.0.1")...)
		client.Ask(t, "GET /docs").HasStatus(200).Stays()

		edge.Reload(t, of("127.0.0.2")...)
		if p == testbed.HTTP1 {
			client.Ask(t, "GET /docs").HasStatus(200).Closes()
		} else {
			client.Silent(t)
		}
		edge.Shows(t, p.Connections(), 0)
	})
}

func TestWhoDoesNotLeaveIsCut(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		short := testbed.Section("timeouts: {drain: 300ms}")
		backend := testbed.Backend(t, echoes...)
		edge := serving(t, p, testbed.Pool(backend.Addr), guiFor("127.0.0.1"), short)
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("GET /ws", handshake...))
		client.Answer(t, http.MethodGet).HasStatus(p.Switched())
		client.Hears(t, "welcome")
		edge.Reload(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1", "limits: {body: 10KiB}"), short)
		client.Closed(t)
		edge.Shows(t, p.Connections(), 0)
	})
}

// Each change gives those whom it sends away the drain time, whatever is left of that of
// the changes before.
func TestWhoLeavesIsNotCutWithThoseOfAnEarlierChange(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, slices.Concat(echoes, echoes)...)
		on := func(body, drain string) []testbed.Option {
			return []testbed.Option{testbed.Pool(backend.Addr), guiFor("127.0.0.1", "limits: {body: "+body+"}"), testbed.Section("timeouts: {drain: " + drain + "}")}
		}
		edge := serving(t, p, on("10KiB", "1m")...)
		talk := func() *testbed.Client {
			client := edge.Dial(t, testbed.Way{})
			client.Send(t, testbed.Head("GET /ws", handshake...))
			client.Answer(t, http.MethodGet).HasStatus(p.Switched())
			client.Hears(t, "welcome")
			return client
		}
		early := talk()
		edge.Reload(t, on("20KiB", "300ms")...)
		late := talk()
		edge.Reload(t, on("30KiB", "1m")...)

		early.Closed(t)
		edge.Shows(t, p.Connections(), 1)
		late.Send(t, "still here")
		late.Hears(t, "still here")
	})
}

// twoDoors are a listener at each of two ports.
func twoDoors(pool string, addrs ...string) testbed.Option {
	text := "listeners:\n"
	for i, addr := range addrs {
		text += "  - {name: l" + string(rune('a'+i)) + ", kind: public, address: \"" + addr + "\", hosts: [" + testbed.Host + "], allow: [track], pool: p}\n"
	}
	return testbed.YAML("%s", text+"pools:\n  - {name: p, backends: [\"http://"+pool+"\"], health: {interval: 0}}\n")
}

// freeAddrs returns addresses with ports that nobody has, and the option that keeps them.
func freeAddrs(t *testing.T, count int) (addrs []string, keep testbed.Option) {
	t.Helper()
	var ports []string
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		addrs, ports = append(addrs, l.Addr().String()), append(ports, port)
	}
	return addrs, testbed.KeepPorts(ports...)
}

func refusesConnections(addr string) func() bool {
	return func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}
}

func TestListenersComeAndGo(t *testing.T) {
	t.Parallel()
	addrs, keep := freeAddrs(t, 3)
	backend := testbed.Backend(t)
	edge := serving(t, testbed.HTTP1, twoDoors(backend.Addr, addrs[0], addrs[1]), keep, longDrain)
	staying, leaving := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{Listener: 1})
	staying.Post(t, "/track", event).HasStatus(200).Stays()
	leaving.Post(t, "/track", event).HasStatus(200).Stays()

	edge.Reload(t, twoDoors(backend.Addr, addrs[0], addrs[2]), keep, longDrain)
	leaving.Post(t, "/track", event).HasStatus(200).Closes()
	require.Eventually(t, refusesConnections(addrs[1]), testbed.Patience, tick)
	require.False(t, refusesConnections(addrs[2])())
	staying.Post(t, "/track", event).HasStatus(200).Stays()
	assert.Len(t, edge.Addrs(), 2)
	assert.Equal(t, addrs[2], edge.Addrs()[1].String())
}

// What cannot be had changes nothing.
func TestAChangeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	addrs, keep := freeAddrs(t, 3)
	taken, err := net.Listen("tcp", addrs[1])
	require.NoError(t, err)
	defer taken.Close()
	backend := testbed.Backend(t)
	edge := serving(t, testbed.HTTP1, twoDoors(backend.Addr, addrs[0]), keep)
	client := edge.Dial(t, testbed.Way{})

	_, err = edge.Prepared(t, twoDoors(testbed.DeadAddr(t), addrs[0], addrs[2], addrs[1]), keep)
	require.ErrorContains(t, err, "address "+addrs[1]+": ")
	require.ErrorContains(t, err, "address already in use")
	require.True(t, refusesConnections(addrs[2])(), "what was opened is closed")
	client.Post(t, "/track", event).HasStatus(200).Stays()

	change, err := edge.Prepared(t, twoDoors(testbed.DeadAddr(t), addrs[0], addrs[2]), keep, testbed.Section("timeouts: {head: 1s}"))
	require.NoError(t, err)
	change.Cancel()
	require.True(t, refusesConnections(addrs[2])())
	client.Post(t, "/track", event).HasStatus(200).Stays()
	require.Len(t, edge.Backends(), 1)
	edge.Shows(t, `trackgate_backend_up{backend="`+backend.Addr+`",pool="p"}`, 1)
}

// A pool that is built anew takes over what operators have said, and the old one finishes.
func TestAPoolIsReplaced(t *testing.T) {
	t.Parallel()
	ready := make(chan struct{})
	one, two := testbed.Backend(t, testbed.Waits(ready), testbed.Says("one")), testbed.Backend(t, testbed.Says("two"))
	edge := serving(t, testbed.HTTP1, testbed.Pool(one.Addr, two.Addr), longDrain)
	require.NoError(t, edge.DrainBackend("collectors", two.Addr, true))
	running := edge.Dial(t, testbed.Way{})
	running.Send(t, testbed.Head("POST /track"))
	require.Eventually(t, func() bool { return one.Heads() == 1 }, testbed.Patience, tick)
	edge.Reload(t, testbed.Pool(one.Addr, two.Addr), testbed.PoolKeys("policy: least_busy"), longDrain)
	states := edge.Backends()
	require.Len(t, states, 2)
	assert.True(t, states[1].Draining)
	close(ready)
	running.Answer(t, http.MethodPost).HasStatus(200).HasBody("one")
	for range 3 {
		edge.Post(t, "/track", event).HasBody("one")
	}
	require.NoError(t, edge.DrainBackend("collectors", two.Addr, false))
}

func TestAGateThatDrainsIsNotChanged(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := serving(t, testbed.HTTP1, testbed.Pool(backend.Addr))
	change, err := edge.Prepared(t, testbed.Pool(backend.Addr), testbed.Listener("hsts: 180d"))
	require.NoError(t, err)
	edge.Drain()
	edge.Ended(t)
	require.ErrorIs(t, change.Commit(), proxy.ErrNotRunning)
	_, err = edge.Prepared(t, testbed.Pool(backend.Addr))
	require.ErrorIs(t, err, proxy.ErrNotRunning)
}

// New and kept connections, all the time, while settings change in every way.
func TestNothingIsLostToChanges(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backends := []string{testbed.Backend(t).Addr, testbed.Backend(t).Addr}
		hurried := testbed.Section("limits: {connections_per_client: 0, handshakes_per_client: 0}")
		edge := serving(t, p, testbed.Pool(backends...), longDrain, hurried)
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() { visits(t, edge, stop) })
		}
		for i := range 30 {
			options := [][]testbed.Option{
				{testbed.Pool(backends[i/5%2])},
				{testbed.Pool(backends...), testbed.PoolKeys("policy: least_busy")},
				{testbed.Pool(backends...), testbed.Listener("limits: {body: 10KiB}")},
				{testbed.Pool(backends...), testbed.Listener("hsts: 180d")},
				{testbed.Pool(backends...)},
			}[i%5]
			edge.Reload(t, append(options, longDrain, hurried)...)
			<-time.After(20 * time.Millisecond)
		}
		close(stop)
		clients.Wait()
	})
}

// visits asks on one connection after the other until stop is closed. A connection is left
// when the gate says so.
func visits(t *testing.T, edge *testbed.Gate, stop <-chan struct{}) {
	for {
		client, err := edge.TryDial(t, testbed.Way{})
		if !assert.NoError(t, err) {
			return
		}
		for last := false; !last; {
			select {
			case <-stop:
				client.Close()
				return
			default:
			}
			client.Offer(testbed.Head("POST /track", "Content-Length: 2") + "{}")
			res, err := client.TryAnswer(http.MethodPost)
			if !assert.NoError(t, err) {
				client.Close()
				return
			}
			assert.Equal(t, 200, res.Status)
			last = res.Last()
		}
		client.Close()
	}
}

// The terms of a listener change again and again, and no request may find itself between
// the old listener and the new one.
func TestNoRequestIsBetweenTwoListeners(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		hurried := testbed.Section("limits: {connections_per_client: 0, handshakes_per_client: 0}")
		edge := serving(t, p, testbed.Pool(backend.Addr), longDrain, hurried)
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() { visits(t, edge, stop) })
		}
		for i := range 400 {
			edge.Reload(t, testbed.Pool(backend.Addr), longDrain, hurried, testbed.Listener("limits: {body: "+strconv.Itoa(10+i%2)+"KiB}"))
		}
		close(stop)
		clients.Wait()
	})
}
