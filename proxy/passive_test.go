package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

func TestABackendThatCannotBeReachedIsLeftOut(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		dead := testbed.DeadAddr(t)
		one, two := testbed.Backend(t, testbed.Says("one"), testbed.Forgets()), testbed.Backend(t, testbed.Says("two"), testbed.Forgets())
		edge := p.Edge(t, testbed.Pool(dead, one.Addr, two.Addr))
		answerers(t, edge, 9)
		edge.Shows(t, up(dead), 0)
		said := edge.Journal(t, `"up":false`)
		assert.Contains(t, said, dead)
		assert.Contains(t, said, "3 connections in a row could not be made: connection refused")
		assert.EqualValues(t, 1, edge.Metric(t, `trackgate_backend_taken_out_total{backend="`+dead+`",cause="connect_failed",pool="collectors"}`))
		assert.EqualValues(t, 3, edge.Metric(t, `trackgate_retries_total{cause="connect_failed",pool="collectors"}`))
		assert.Equal(t, "down", edge.Backends()[0].State)
	})
}

func TestABackendThatDoesNotAnswerInTimeIsLeftOut(t *testing.T) {
	t.Parallel()
	hanging, fine := testbed.Backend(t, testbed.Hangs()), testbed.Backend(t, testbed.Says("fine"), testbed.Forgets())
	edge := testbed.Edge(t, testbed.Pool(hanging.Addr, fine.Addr), testbed.PoolKeys("timeouts: {response: 100ms}"))
	client, late := edge.Dial(t, testbed.Way{}), 0
	for range 12 {
		if client.Post(t, "/track", event).Status == 504 {
			late++
		}
	}
	assert.Equal(t, 3, late)
	assert.Contains(t, edge.Journal(t, `"up":false`), "3 answers in a row did not come within the time")
}

// One client that provokes 500s at will takes nobody out, wherever it aims.
func TestAClientCannotTakeABackendOutByProvokingErrors(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		acts := []testbed.Act{testbed.Forgets(), testbed.Says("fine"), testbed.By(func(r testbed.Request) string {
			if r.Body == `{"request": null}` {
				return "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops"
			}
			return ""
		})}
		one, two := testbed.Backend(t, acts...), testbed.Backend(t, acts...)
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr))
		client := edge.Dial(t, testbed.Way{})
		for range 200 { // turns alternate: all the bad ones meet the same backend
			client.Post(t, "/track", `{"request": null}`).HasStatus(500)
			client.Post(t, "/track", event).HasStatus(200)
		}
		for _, b := range edge.Backends() {
			assert.NotEqual(t, "down", b.State, b.Why)
		}
	})
}

func TestTheLastBackendIsNeverLeftOut(t *testing.T) {
	t.Parallel()
	dead := testbed.DeadAddr(t)
	edge := testbed.Edge(t, testbed.Pool(dead))
	client := edge.Dial(t, testbed.Way{})
	for range 10 {
		client.Post(t, "/track", event).IsEdge(502, "connect_failed")
	}
	edge.Shows(t, up(dead), 1)
}

// Green stands by with weight 0: it is no reason to take blue out.
func TestABackendWithoutWorkIsNoReasonToTakeTheOtherOut(t *testing.T) {
	t.Parallel()
	blue, green := testbed.DeadAddr(t), testbed.Backend(t, testbed.Says("green"))
	edge := testbed.Edge(t, testbed.Pool(blue, green.Addr))
	require.NoError(t, edge.SetWeight("collectors", green.Addr, 0))
	client := edge.Dial(t, testbed.Way{})
	for range 10 {
		client.Post(t, "/track", event).IsEdge(502, "connect_failed").HasField("retry-after", "1")
	}
	edge.Shows(t, up(blue), 1)
	require.NoError(t, edge.SetWeight("collectors", green.Addr, 1))
	answerers(t, edge, 10)
	assert.Contains(t, edge.Journal(t, `"up":false`), blue) // it may be back already
}

// A client whose requests take long takes nobody out who answers all the others.
func TestSlowRequestsOfOneClientTakeNobodyOut(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		slow := make(chan struct{})
		defer close(slow)
		acts := []testbed.Act{testbed.Says("fine"), testbed.Forgets(), testbed.By(func(r testbed.Request) string {
			if r.Body == "slow" {
				<-slow
			}
			return ""
		})}
		one, two := testbed.Backend(t, acts...), testbed.Backend(t, acts...)
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), testbed.PoolKeys("timeouts: {response: 4s}"))
		var waiting []*testbed.Client
		for range 20 {
			c := edge.Dial(t, testbed.Way{})
			c.Send(t, testbed.Head("POST /track", "content-length: 4")+"slow")
			waiting = append(waiting, c)
		}
		require.Eventually(t, func() bool { return one.Heads()+two.Heads() == 20 }, testbed.Patience, tick)
		answerers(t, edge, 10) // while the slow ones wait
		for _, c := range waiting {
			c.Answer(t, "POST").IsEdge(504, "backend_timeout")
		}
		for _, b := range edge.Backends() {
			assert.NotEqual(t, "down", b.State, b.Why)
		}
	})
}
