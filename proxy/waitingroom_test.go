package proxy_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

const waitingRequests = `trackgate_pool_waiting_requests{pool="collectors"}`

func TestABusyPoolServesTheOldestFirst(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1", "queue: {busy: 1m}"))
		var clients []*testbed.Client
		for i := range 6 {
			client := edge.Dial(t, testbed.Way{})
			client.Send(t, testbed.Head("POST /track", "content-length: 1")+strconv.Itoa(i))
			clients = append(clients, client)
			if i == 0 {
				require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
			} else {
				edge.Shows(t, waitingRequests, float64(i))
			}
		}
		close(ready)
		for i, client := range clients {
			client.Answer(t, "POST").HasStatus(200)
			assert.Equal(t, strconv.Itoa(i), backend.Next(t).Body)
		}
	})
}

func TestAQueueThatIsFullSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1", "queue: {size: 1, busy: 1m}"))
		running, waiting := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		running.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
		waiting.Send(t, testbed.Head("POST /track"))
		edge.Shows(t, waitingRequests, 1)
		edge.Post(t, "/track", event).IsEdge(503, "queue_full").HasField("retry-after", "1").Stays()
		close(ready)
		running.Answer(t, "POST").HasStatus(200)
		waiting.Answer(t, "POST").HasStatus(200)
	})
}

func TestNobodyWaitsForABusyPoolForEver(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		defer close(ready)
		backend := testbed.Backend(t, testbed.Waits(ready))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1", "queue: {busy: 100ms}"))
		running := edge.Dial(t, testbed.Way{})
		running.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
		edge.Post(t, "/track", event).IsEdge(503, "queue_full").Stays()
		edge.Shows(t, waitingRequests, 0)
	})
}

// Requests that come while no backend is up wait for the first one to return, and
// do not fall upon it all at once.
func TestThoseWhoWaitedAreLetInGently(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		const crowd = 60
		backend, ill := changeable(t, "back")
		ill.Store(true)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.LogUnread(),
			testbed.PoolKeys("health: {interval: 20ms, timeout: 10s, fall: 1}", "queue: {wait: 1m}"))
		edge.Shows(t, up(backend.Addr), 0)
		var all sync.WaitGroup
		for range crowd {
			client := edge.Dial(t, testbed.Way{})
			all.Go(func() { client.Post(t, "/track", event).HasStatus(200).HasBody("back") })
		}
		edge.Shows(t, waitingRequests, crowd)
		ill.Store(false)
		all.Wait()
		first := 0
		for range crowd { // those of the first window came on connections of their own
			r := backend.Next(t)
			for r.Line != "POST /track HTTP/1.1" {
				r = backend.Next(t)
			}
			if !r.Reused {
				first++
			}
		}
		assert.Less(t, first, crowd, "connections that were made for them")
	})
}
