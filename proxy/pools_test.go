package proxy_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

func TestBackendsTakeTurnsByTheirWeights(t *testing.T) {
	t.Parallel()
	light, heavy, off := testbed.Backend(t, testbed.Says("l")), testbed.Backend(t, testbed.Says("h")), testbed.Backend(t, testbed.Says("o"))
	edge := testbed.Edge(t, testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: p}
pools:
  - name: p
    backends: ["http://%s", {url: "http://%s", weight: 2}, {url: "http://%s", weight: 0}]
    health: {interval: 0}
`, light.Addr, heavy.Addr, off.Addr))
	client := edge.Dial(t, testbed.Way{})
	var turns strings.Builder
	for range 30 {
		turns.WriteString(client.Post(t, "/track", event).HasStatus(200).Body)
	}
	assert.Equal(t, 10, strings.Count(turns.String(), "l"))
	assert.Equal(t, 20, strings.Count(turns.String(), "h"))
	assert.NotContains(t, turns.String(), "hhh", "smooth")
}

// changeable is a backend whose health a test can change.
func changeable(t *testing.T, name string) (*testbed.Actor, *atomic.Bool) {
	t.Helper()
	var ill atomic.Bool
	actor := testbed.Backend(t, testbed.Says(name), testbed.By(func(r testbed.Request) string {
		if ill.Load() && strings.HasPrefix(r.Line, "GET /healthcheck ") {
			return "HTTP/1.1 503 Ill\r\ncontent-length: 0\r\n\r\n"
		}
		return ""
	}))
	return actor, &ill
}

func up(addr string) string {
	return fmt.Sprintf(`trackgate_backend_up{backend=%q,pool="collectors"}`, addr)
}

func TestAChecksVerdictTakesABackendOutAndInAgain(t *testing.T) {
	t.Parallel()
	one, oneIll := changeable(t, "one")
	two, twoIll := changeable(t, "two")
	edge := testbed.Edge(t, testbed.Pool(one.Addr, two.Addr), testbed.PoolKeys("health: {interval: 20ms, timeout: 10s, rise: 2, fall: 2}"))

	oneIll.Store(true)
	edge.Shows(t, up(one.Addr), 0)
	edge.Journal(t, fmt.Sprintf(`"backend":%q,"up":false`, one.Addr))
	for range 4 {
		edge.Post(t, "/track", event).HasStatus(200).HasBody("two")
	}

	twoIll.Store(true)
	edge.Shows(t, up(two.Addr), 0)
	edge.Post(t, "/track", event).IsEdge(503, "no_backend").HasField("retry-after", "1").Stays()
	for range 4 {
		edge.NextLogLine(t).Has("backend", two.Addr)
	}
	edge.NextLogLine(t).Has("status", 503).Has("reason", "no_backend").Has("attempts", 0).Has("backend", "")

	oneIll.Store(false)
	edge.Shows(t, up(one.Addr), 1)
	edge.Journal(t, fmt.Sprintf(`"backend":%q,"up":true`, one.Addr))
	edge.Post(t, "/track", event).HasStatus(200).HasBody("one")
}

func TestAPoolIsServedBeforeItsFirstCheck(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Says("hello"))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("health: {interval: 1h}"))
	edge.Post(t, "/track", event).HasStatus(200)
	edge.Shows(t, up(backend.Addr), 1)
}

func TestAnAnswerIsNotThereBeforeItsPlaceIsFree(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Forgets())
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1"), testbed.LogUnread())
		client, other := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		for range 300 {
			client.Post(t, "/track", event).HasStatus(200)
			other.Post(t, "/track", event).HasStatus(200)
		}
	})
}

// One connection at a time is what some backends can serve.
func TestAPlaceIsFreeWhenItsConnectionIs(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("hello"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1"), testbed.LogUnread())
		var all sync.WaitGroup
		for range 4 {
			client := edge.Dial(t, testbed.Way{})
			all.Go(func() {
				for range 25 {
					client.Post(t, "/track", event).HasStatus(200)
				}
			})
		}
		all.Wait()
		for i := range 100 {
			assert.Equal(t, i > 0, backend.Next(t).Reused, "request %d", i)
		}
	})
}
