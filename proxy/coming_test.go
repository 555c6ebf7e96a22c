package proxy_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/internal/testdns"
)

// found is a gate whose pool is what names stand for.
func found(t *testing.T, dns *testdns.Server, backends string, keys ...string) *testbed.Gate {
	t.Helper()
	if !strings.Contains(strings.Join(keys, " "), "health:") {
		keys = append(keys, "health: {interval: 0}")
	}
	return testbed.Edge(t, testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: collectors}
pools:
  - name: collectors
    backends: [%s]
    dns: {servers: ["%s"], refresh: 5s, timeout: 1s}
    slow_start: 0s
    %s
`, backends, dns.Addr, strings.Join(keys, "\n    ")))
}

// hosts starts backends that share a port, as pods do, on loopback addresses of
// their own. Each answers with its address.
func hosts(t *testing.T, ips ...string) (port string, actors map[string]*testbed.Actor) {
	t.Helper()
	l, err := net.Listen("tcp", ips[0]+":0")
	require.NoError(t, err)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	require.NoError(t, l.Close())
	actors = map[string]*testbed.Actor{}
	for _, ip := range ips {
		actors[ip] = testbed.BackendAt(t, net.JoinHostPort(ip, port), testbed.Says(ip), testbed.Forgets())
	}
	return port, actors
}

// answerers are who answers so many events.
func answerers(t *testing.T, edge *testbed.Gate, count int) map[string]int {
	t.Helper()
	client, who := edge.Dial(t, testbed.Way{}), map[string]int{}
	for range count {
		who[client.Post(t, "/track", event).HasStatus(200).Body]++
	}
	return who
}

func TestEveryAddressOfANameIsABackend(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.1", "127.0.3.2", "127.0.3.3")
	dns := testdns.Start(t)
	dns.Set("be.test.", "A", 1, "127.0.3.1", "127.0.3.2")
	edge := found(t, dns, `"dns+http://be.test.:`+port+`"`)
	assert.Equal(t, map[string]int{"127.0.3.1": 5, "127.0.3.2": 5}, answerers(t, edge, 10), "from the first request on")

	dns.Set("be.test.", "A", 1, "127.0.3.2", "127.0.3.3")
	edge.Shows(t, up("127.0.3.3:"+port), 1)
	assert.Equal(t, map[string]int{"127.0.3.2": 5, "127.0.3.3": 5}, answerers(t, edge, 10))
	for _, line := range edge.Metrics(t) {
		assert.NotContains(t, line, "127.0.3.1:", "one that left")
	}
	assert.Contains(t, edge.Journal(t, "backend left"), "127.0.3.1:"+port)
}

func TestANameThatFailsKeepsItsBackendsAndSaysSo(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.11")
	dns := testdns.Start(t)
	dns.Set("be.test.", "A", 1, "127.0.3.11")
	edge := found(t, dns, `"dns+http://be.test.:`+port+`"`)
	const successful = `trackgate_discovery_successful{name="be.test.",pool="collectors"}`
	edge.Shows(t, successful, 1)

	dns.Fail("be.test.", "NXDOMAIN")
	edge.Shows(t, successful, 0)
	assert.Contains(t, edge.Journal(t, "those found last stay"), "NXDOMAIN")
	assert.Equal(t, map[string]int{"127.0.3.11": 5}, answerers(t, edge, 5))

	dns.Heal("be.test.")
	edge.Shows(t, successful, 1)
	edge.Journal(t, "can be looked up again")
}

func TestAPoolWithoutAnyAddressSaysSo(t *testing.T) {
	t.Parallel()
	dns := testdns.Start(t)
	edge := found(t, dns, `"dns+http://nowhere.test.:80"`)
	edge.Post(t, "/track", event).IsEdge(503, "no_backend").HasField("retry-after", "1").Stays()
}

func TestARequestWaitsForTheFirstAddress(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.21")
	dns := testdns.Start(t)
	edge := found(t, dns, `"dns+http://be.test.:`+port+`"`, "queue: {wait: 1m}", "health: {interval: 5s}")
	client := edge.Dial(t, testbed.Way{})
	client.Send(t, testbed.Head("POST /track"))
	edge.Shows(t, waitingRequests, 1)
	dns.Set("be.test.", "A", 1, "127.0.3.21")
	client.Answer(t, "POST").HasStatus(200).HasBody("127.0.3.21")
}

func TestServiceRecordsBringPortPriorityAndWeight(t *testing.T) {
	t.Parallel()
	port, actors := hosts(t, "127.0.3.31", "127.0.3.32", "127.0.3.33")
	dns := testdns.Start(t)
	dns.Set("_http._tcp.be.test.", "SRV", 1, "1 3 "+port+" one.be.test.", "1 1 "+port+" two.be.test.", "2 1 "+port+" spare.be.test.")
	dns.Set("one.be.test.", "A", 1, "127.0.3.31")
	dns.Set("two.be.test.", "A", 1, "127.0.3.32")
	dns.Set("spare.be.test.", "A", 1, "127.0.3.33")
	edge := found(t, dns, `"srv+http://_http._tcp.be.test."`, "health: {interval: 50ms, fall: 1, timeout: 5s}")
	assert.Equal(t, map[string]int{"127.0.3.31": 9, "127.0.3.32": 3}, answerers(t, edge, 12))

	for _, ip := range []string{"127.0.3.31", "127.0.3.32"} {
		actors[ip].Leave()
		edge.Shows(t, up(ip+":"+port), 0)
	}
	assert.Equal(t, map[string]int{"127.0.3.33": 5}, answerers(t, edge, 5))
}

// What runs on a backend that leaves is finished, and its connection not kept.
func TestABackendThatLeavesFinishesWhatItHas(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.41")
	ready := make(chan struct{})
	leaving := testbed.BackendAt(t, "127.0.3.42:"+port, testbed.Waits(ready), testbed.Says("late"))
	dns := testdns.Start(t)
	dns.Set("be.test.", "A", 1, "127.0.3.42")
	edge := found(t, dns, `"dns+http://be.test.:`+port+`"`)
	client := edge.Dial(t, testbed.Way{})
	client.Send(t, testbed.Head("POST /track"))
	leaving.Next(t)

	dns.Set("be.test.", "A", 1, "127.0.3.41")
	edge.Journal(t, "backend left")
	assert.Equal(t, map[string]int{"127.0.3.41": 3}, answerers(t, edge, 3))
	close(ready)
	client.Answer(t, "POST").HasStatus(200).HasBody("late")
}

// Those who stay keep their connections.
func TestWhoStaysNoticesNothing(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.51")
	stays := testbed.BackendAt(t, "127.0.3.53:"+port, testbed.Says("stays"))
	dns := testdns.Start(t)
	dns.Set("be.test.", "A", 1, "127.0.3.53")
	edge := found(t, dns, `"dns+http://be.test.:`+port+`"`)
	answerers(t, edge, 1)
	assert.False(t, stays.Next(t).Reused)
	dns.Set("be.test.", "A", 1, "127.0.3.53", "127.0.3.51")
	edge.Shows(t, up("127.0.3.51:"+port), 1)
	answerers(t, edge, 2)
	assert.True(t, stays.Next(t).Reused)
}

func TestAnAddressUnderTwoNamesIsOneBackend(t *testing.T) {
	t.Parallel()
	port, _ := hosts(t, "127.0.3.61", "127.0.3.62")
	dns := testdns.Start(t)
	dns.Set("blue.test.", "A", 1, "127.0.3.61")
	dns.Set("green.test.", "A", 1, "127.0.3.61", "127.0.3.62")
	edge := found(t, dns, fmt.Sprintf(`"dns+http://blue.test.:%s", {url: "dns+http://green.test.:%s", weight: 3}`, port, port))
	assert.Equal(t, map[string]int{"127.0.3.61": 2, "127.0.3.62": 6}, answerers(t, edge, 8))
	assert.Len(t, edge.Backends(), 2)
}

func TestAWeightOfNoneAndADrainStopNewWorkAtOnce(t *testing.T) {
	t.Parallel()
	blue, green := testbed.Backend(t, testbed.Says("blue")), testbed.Backend(t, testbed.Says("green"))
	edge := testbed.Edge(t, testbed.Pool(blue.Addr, green.Addr))
	answerers(t, edge, 2)

	require.NoError(t, edge.SetWeight("collectors", green.Addr, 0))
	assert.Equal(t, map[string]int{"blue": 6}, answerers(t, edge, 6))
	require.NoError(t, edge.SetWeight("collectors", green.Addr, 1))
	require.NoError(t, edge.Gate.Drain("collectors", blue.Addr, true))
	assert.Equal(t, map[string]int{"green": 6}, answerers(t, edge, 6))
	assert.True(t, edge.Backends()[0].Draining)

	require.NoError(t, edge.Gate.Drain("collectors", blue.Addr, false))
	assert.Equal(t, map[string]int{"blue": 3, "green": 3}, answerers(t, edge, 6))
	assert.EqualError(t, edge.SetWeight("collectors", "10.0.0.1:80", 1), "pool collectors has no backend 10.0.0.1:80")
	assert.EqualError(t, edge.Gate.Drain("colectors", blue.Addr, true), `no pool is named "colectors"`)
}

// A switch under load: nothing is lost, and after it nothing begins on the old side.
func TestABlueGreenSwitchLosesNothing(t *testing.T) {
	t.Parallel()
	blue, green := testbed.Backend(t, testbed.Says("blue"), testbed.Forgets()), testbed.Backend(t, testbed.Says("green"), testbed.Forgets())
	edge := testbed.Edge(t, testbed.Pool(blue.Addr, green.Addr), testbed.LogUnread())
	require.NoError(t, edge.SetWeight("collectors", green.Addr, 0))
	var visitors sync.WaitGroup
	for range 8 {
		client := edge.Dial(t, testbed.Way{})
		visitors.Go(func() {
			for range 300 {
				client.Post(t, "/track", event).HasStatus(200)
			}
		})
	}
	from, to := blue, green
	for range 20 {
		require.NoError(t, edge.SetWeight("collectors", to.Addr, 1))
		require.NoError(t, edge.SetWeight("collectors", from.Addr, 0))
		from, to = to, from
	}
	visitors.Wait()
	assert.Equal(t, 8*300, blue.Heads()+green.Heads())
	before := to.Heads()
	answerers(t, edge, 10)
	assert.Equal(t, before, to.Heads(), "the side that was switched off")
}
