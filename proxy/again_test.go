package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

func TestABackendThatCannotBeReachedIsPassedOver(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		alive := testbed.Backend(t, testbed.Says("hello"))
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t), alive.Addr))
		for i, body := range []string{event, text(64 << 10), text(500_000)} {
			two := i%2 == 0 // with what the retry took, the turns shift by one
			edge.Post(t, "/track", body).HasStatus(200).HasBody("hello")
			line := edge.LastLogLine(t).Has("backend", alive.Addr).Has("reason", "ok")
			if two {
				line.Has("attempts", 2)
			}
			assert.Equal(t, body, alive.Next(t).Body)
		}
		assert.Positive(t, edge.Metric(t, `trackgate_retries_total{cause="connect_failed",pool="collectors"}`))
	})
}

func TestWithoutAnyBackendToReachTheClientIsTold(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		dead := []string{testbed.DeadAddr(t), testbed.DeadAddr(t)}
		edge := p.Edge(t, testbed.Pool(dead...))
		for _, body := range []string{"", event} {
			client := edge.Dial(t, testbed.Way{})
			client.Post(t, "/track", body).IsEdge(502, "connect_failed").Stays()
			line := edge.LastLogLine(t).Has("status", 502).Has("reason", "connect_failed").Has("attempts", 2)
			assert.Contains(t, dead, line.Fields["backend"])
		}
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track", "Content-Length: 500000")+text(100_000))
		client.Answer(t, "POST").IsEdge(502, "connect_failed").Closes()
	})
}

func TestAReusedConnectionThatClosesIsNoLostEvent(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		racing := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesWhenReused())
		edge := p.Edge(t, testbed.Pool(racing.Addr))
		for i := range 6 {
			edge.Post(t, "/track", event).HasStatus(200).HasBody("hello")
			edge.LastLogLine(t).Has("attempts", 1+min(i, 1)).Has("reason", "ok").Has("reused", false)
		}
		assert.EqualValues(t, 5, edge.Metric(t, `trackgate_retries_total{cause="backend_closed",pool="collectors"}`))
	})
}

func TestAReuseRaceIsRepeatedOnANewConnection(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		racing := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesWhenReused())
		edge := p.Edge(t, testbed.Pool(racing.Addr))
		ready := make(chan struct{})
		for range 2 { // two requests at once leave two connections behind
			go func() {
				edge.Post(t, "/track", event)
				ready <- struct{}{}
			}()
		}
		<-ready
		<-ready
		for range 4 {
			edge.Post(t, "/track", event).HasStatus(200)
		}
	})
}

func TestARaceAndADeadBackendTogetherLoseNothing(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		racing := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesWhenReused())
		edge := p.Edge(t, testbed.Pool(racing.Addr, testbed.DeadAddr(t)))
		for range 6 {
			edge.Post(t, "/track", event).HasStatus(200).HasBody("hello")
		}
	})
}

func TestAKeptConnectionThatWasClosedIsNotUsed(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		closing := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesAfter())
		edge := p.Edge(t, testbed.Pool(closing.Addr))
		for range 10 {
			edge.Post(t, "/track", event).HasStatus(200).HasBody("hello")
			edge.LastLogLine(t).Has("reason", "ok").Has("reused", false)
		}
		for range 10 {
			assert.True(t, closing.Next(t).Whole)
		}
		assert.Equal(t, 10, closing.Heads(), "requests that reached the backend")
	})
}

func TestConnectionsToBackendsAreUsedAgain(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("hello"))
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for i := range 5 {
			edge.Post(t, "/track", event).HasStatus(200)
			assert.Equal(t, i > 0, backend.Next(t).Reused)
			edge.NextLogLine(t).Has("reused", i > 0)
		}
	})
}

func TestWhatMayHaveBeenActedUponIsNotSentAgain(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, acts := range map[string][]testbed.Act{
			"closed":       {testbed.CutsOff()},
			"500":          {testbed.Status(500), testbed.Says("oops")},
			"503":          {testbed.Status(503), testbed.Says("busy")},
			"garbled":      {testbed.Raw("what\r\n\r\n")},
			"half an head": {testbed.Raw("HTTP/1.1 200"), testbed.ClosesAfter()},
			"timeout":      {testbed.Hangs()},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				one, two := testbed.Backend(t, acts...), testbed.Backend(t, acts...)
				edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), testbed.PoolKeys("timeouts: {response: 200ms}"))
				res := edge.Post(t, "/track", event)
				assert.GreaterOrEqual(t, res.Status, 500)
				edge.LastLogLine(t).Has("attempts", 1).Has("status", res.Status)
				assert.Equal(t, 1, one.Heads()+two.Heads())
				for _, line := range edge.Metrics(t) {
					assert.False(t, strings.HasPrefix(line, "trackgate_retries_total{"), line)
				}
			})
		}
	})
}

func TestABackendThatSaysNothingIs504(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, act := range map[string]testbed.Act{
			"at all":         testbed.Hangs(),
			"but a 100":      testbed.Early("HTTP/1.1 100 Continue\r\n\r\n"),
			"but half ahead": testbed.Early("HTTP/1.1 200 OK\r\nx: "),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t, act, testbed.Hangs())
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("timeouts: {response: 200ms}"))
				for _, body := range []string{event, text(100_000)} {
					edge.Post(t, "/track", body).IsEdge(504, "backend_timeout").Stays()
					edge.NextLogLine(t).Has("status", 504).Has("reason", "backend_timeout").Has("attempts", 1)
				}
			})
		}
	})
}

func TestABackendThatStopsInItsAnswerCutsIt(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Early("HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\nhalf"), testbed.Hangs())
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("timeouts: {response: 200ms}"))
		edge.Post(t, "/track", event).HasStatus(200).IsCut()
		edge.LastLogLine(t).Has("status", 200).Has("reason", "backend_timeout")
	})
}

func TestABusyPoolSaysSo(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready), testbed.Says("done"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1", "queue: {busy: 0s}"))
		first := edge.Dial(t, testbed.Way{})
		first.Send(t, testbed.Head("POST /track"))
		require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)

		edge.Post(t, "/track", event).IsEdge(503, "queue_full").HasField("retry-after", "1").Stays()
		edge.NextLogLine(t).Has("status", 503).Has("reason", "queue_full").Has("attempts", 0)

		close(ready)
		first.Answer(t, "POST").HasStatus(200).HasBody("done")
		edge.Post(t, "/track", event).HasStatus(200)
	})
}
