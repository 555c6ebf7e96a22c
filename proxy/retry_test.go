package proxy_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// asking lets the public listener pass GET, which may be repeated.
var asking = testbed.Listener("allow: [track, {methods: [GET, HEAD, PUT, DELETE, PATCH], path: /thing}]")

// failing is every way in which a backend can fail after it got a request, as the
// client would be told.
func failing() map[string][]testbed.Act {
	return map[string][]testbed.Act{
		"closed":       {testbed.CutsOff()},
		"garbled":      {testbed.Raw("what\r\n\r\n")},
		"half a head":  {testbed.Raw("HTTP/1.1 200"), testbed.ClosesAfter()},
		"half a body":  {testbed.Raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"), testbed.ClosesAfter()},
		"half a 503":   {testbed.Raw("HTTP/1.1 503 Busy\r\ncontent-length: 10\r\n\r\nhalf")},
		"502":          {testbed.Status(502), testbed.Says("bad")},
		"503":          {testbed.Status(503), testbed.Says("busy")},
		"504":          {testbed.Status(504), testbed.Says("late")},
		"503, large":   {testbed.Status(503), testbed.Says(text(100_000))},
		"503, endless": {testbed.Raw("HTTP/1.1 503 Busy\r\n\r\nwho knows"), testbed.ClosesAfter()},
	}
}

func TestWhatIsIdempotentIsAskedOfAnotherBackend(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, acts := range failing() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ill, well := testbed.Backend(t, acts...), testbed.Backend(t, testbed.Says("hello"))
				edge := p.Edge(t, testbed.Pool(ill.Addr, well.Addr), asking)
				client := edge.Dial(t, testbed.Way{})
				for range 3 { // with what the repetition took, it is always the same one's turn
					client.Ask(t, "GET /thing").HasStatus(200).HasBody("hello")
					edge.NextLogLine(t).Has("reason", "ok").Has("backend", well.Addr).Has("attempts", 2)
				}
				assert.Equal(t, 3, ill.Heads())
			})
		}
	})
}

func TestOnlyIdempotentMethodsAreRepeated(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for method, twice := range map[string]bool{"GET": true, "HEAD": true, "PUT": true, "DELETE": true, "PATCH": false} {
			one, two := testbed.Backend(t, testbed.CutsOff()), testbed.Backend(t, testbed.CutsOff())
			edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking)
			assert.Equal(t, 502, edge.Ask(t, method+" /thing").Status)
			want := 1
			if twice {
				want = 2
			}
			assert.Equal(t, want, one.Heads()+two.Heads(), method)
		}
	})
}

func TestPostsAreRepeatedOnlyWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ill, well := testbed.Backend(t, testbed.Status(503)), testbed.Backend(t, testbed.Says("hello"))
		edge := p.Edge(t, testbed.Pool(ill.Addr, well.Addr))
		edge.Post(t, "/track", event).HasStatus(503)
		edge = p.Edge(t, testbed.Pool(ill.Addr, well.Addr), testbed.PoolKeys("retry: {non_idempotent: true}"))
		edge.Post(t, "/track", event).HasStatus(200)
	})
}

// mortal is the address of a backend that ends a connection over a fatal event,
// which it has read, and how many it has read.
func mortal(t *testing.T) (string, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	var fatal atomic.Int32
	go func() {
		for nc, err := l.Accept(); err == nil; nc, err = l.Accept() {
			go liveUntilFatal(nc, &fatal)
		}
	}()
	return l.Addr().String(), &fatal
}

func liveUntilFatal(nc net.Conn, fatal *atomic.Int32) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if body, _ := io.ReadAll(req.Body); string(body) == "fatal" {
			fatal.Add(1)
			return
		}
		io.WriteString(nc, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") //nolint:errcheck // the gate may be gone
	}
}

// A backend that has read an event and then dies may have counted it: it is not
// sent again, although its connection was a kept one.
func TestAnEventThatABackendDiedOverIsNotSentTwice(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, first := mortal(t)
		two, second := mortal(t)
		edge := p.Edge(t, testbed.Pool(one, two))
		client := edge.Dial(t, testbed.Way{})
		for i := range 10 {
			for range 2 {
				client.Post(t, "/track", event).HasStatus(200)
				edge.NextLogLine(t)
			}
			client.Post(t, "/track", "fatal").IsEdge(502, "backend_closed")
			edge.NextLogLine(t).Has("reused", true).Has("attempts", 1)
			assert.EqualValues(t, i+1, first.Load()+second.Load(), "how often it was read")
		}
	})
}

func TestStatusesThatAreNotListedArePassedOn(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for keys, status := range map[string]int{"retry: {status: [502, 504]}": 503, "retry: {status: []}": 502, "retry: {status: [503]}": 500} {
			one, two := testbed.Backend(t, testbed.Status(status), testbed.Says("mine")), testbed.Backend(t, testbed.Status(status), testbed.Says("mine"))
			edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking, testbed.PoolKeys(keys))
			edge.Ask(t, "GET /thing").HasStatus(status).HasBody("mine")
			assert.Equal(t, 1, one.Heads()+two.Heads(), keys)
		}
	})
}

// The last answer is the client's, not one of ours.
func TestWhenAllAreBusyTheClientGetsWhatTheLastOneSaid(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, two := testbed.Backend(t, testbed.Status(503), testbed.Says("busy")), testbed.Backend(t, testbed.Status(503), testbed.Says("busy"))
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking)
		edge.Ask(t, "GET /thing").HasStatus(503).HasBody("busy")
		assert.Equal(t, 2, one.Heads()+two.Heads())
		edge.LastLogLine(t).Has("reason", "ok").Has("attempts", 2)
	})
}

func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for keys, want := range map[string]int{"retry: {attempts: 1}": 1, "retry: {attempts: 2}": 2, "retry: {attempts: 4}": 4} {
			var addrs []string
			var all []*testbed.Actor
			for range 5 {
				all = append(all, testbed.Backend(t, testbed.Status(503)))
				addrs = append(addrs, all[len(all)-1].Addr)
			}
			edge := p.Edge(t, testbed.Pool(addrs...), asking, testbed.PoolKeys(keys))
			edge.Ask(t, "GET /thing").HasStatus(503)
			edge.LastLogLine(t).Has("attempts", want)
		}
	})
}

func TestNoAttemptBeginsAfterTheDeadline(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, two := testbed.Backend(t, testbed.Hangs()), testbed.Backend(t, testbed.Hangs())
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking, testbed.PoolKeys("timeouts: {response: 200ms}", "retry: {deadline: 50ms}"))
		edge.Ask(t, "GET /thing").IsEdge(504, "backend_timeout")
		edge.LastLogLine(t).Has("attempts", 1)
		assert.Equal(t, 1, one.Heads()+two.Heads())
	})
}

func TestWhatWasStreamedIsNotRepeated(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, two := testbed.Backend(t, testbed.Status(503)), testbed.Backend(t, testbed.Status(503))
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking)
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("PUT /thing", "content-length: 100000")+text(100_000))
		client.Answer(t, "PUT").HasStatus(503)
		assert.Equal(t, 1, one.Heads()+two.Heads())
	})
}

// Backends in trouble do not get several times the load that troubles them.
func TestRepetitionsHaveABudget(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		const crowd = 10
		busy, slow := testbed.Backend(t, testbed.Status(503)), make(chan struct{})
		held := testbed.Backend(t, testbed.Waits(slow), testbed.Says("late"))
		edge := p.Edge(t, testbed.Pool(busy.Addr, held.Addr), asking, testbed.PoolKeys("retry: {budget: 1}"))
		var all sync.WaitGroup
		statuses := make(chan int, crowd)
		for range crowd {
			client := edge.Dial(t, testbed.Way{})
			all.Go(func() { statuses <- client.Ask(t, "GET /thing").Status })
		}
		refused := func() float64 { return edge.Metric(t, `trackgate_retries_refused_total{pool="collectors"}`) }
		require.Eventually(t, func() bool { return refused()+float64(held.Heads()) == crowd }, testbed.Patience, tick)
		close(slow)
		all.Wait()
		close(statuses)
		counts := map[int]int{}
		for s := range statuses {
			counts[s]++
		}
		assert.EqualValues(t, refused(), counts[503])
		assert.Positive(t, counts[503])
		assert.EqualValues(t, 3, edge.Metric(t, `trackgate_retries_total{cause="backend_error",pool="collectors"}`))
	})
}

func TestABudgetOfZeroRepeatsNothing(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		one, two := testbed.Backend(t, testbed.Status(503)), testbed.Backend(t, testbed.Status(503))
		edge := p.Edge(t, testbed.Pool(one.Addr, two.Addr), asking, testbed.PoolKeys("retry: {budget: 0}"))
		edge.Ask(t, "GET /thing").HasStatus(503)
		assert.Equal(t, 1, one.Heads()+two.Heads())
	})
}

// Those that cannot be reached are passed over whatever their number, and nothing
// of the budget is spent on them.
func TestManyDeadBackendsCostNoRequest(t *testing.T) {
	t.Parallel()
	alive := testbed.Backend(t, testbed.Says("hello"))
	for _, policy := range []string{"round_robin", "least_busy", "two_choices"} {
		addrs := []string{alive.Addr}
		for range 6 {
			addrs = append(addrs, testbed.DeadAddr(t))
		}
		edge := testbed.Edge(t, testbed.Pool(addrs...), testbed.PoolKeys("policy: "+policy, "retry: {budget: 0, attempts: 1}"))
		for range 20 {
			edge.Post(t, "/track", event).HasStatus(200).HasBody("hello")
		}
		for _, line := range edge.Metrics(t) {
			assert.False(t, strings.HasPrefix(line, "trackgate_retries_refused_total"), line)
		}
	}
}

// A pool that nobody can reach is waited for, if the settings say so.
func TestARequestWaitsForBackendsThatCannotBeReached(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := l.Addr().String()
		require.NoError(t, l.Close())
		edge := p.Edge(t, testbed.Pool(addr), testbed.PoolKeys("queue: {wait: 1m}", "health: {interval: 50ms, timeout: 10s}"))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track", "content-length: 5")+"hello")
		edge.Shows(t, waitingRequests, 1)

		backend := testbed.BackendAt(t, addr, testbed.Says("back"))

		client.Answer(t, "POST").HasStatus(200).HasBody("back")
		for r := backend.Next(t); r.Body != "hello"; r = backend.Next(t) {
			assert.Equal(t, "GET /healthcheck HTTP/1.1", r.Line)
		}
	})
}

func TestNobodyWaitsForLongerThanTheSettingsSay(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.PoolKeys("queue: {wait: 300ms}", "health: {interval: 1h}"))
		edge.Post(t, "/track", event).HasField("retry-after", "1").Stays()
		took, err := edge.LastLogLine(t).Fields["duration_seconds"].(json.Number).Float64()
		require.NoError(t, err)
		assert.Greater(t, took, 0.2)
		assert.Less(t, took, 10.0)
	})
}

// However short the deadline is for what may have been acted upon: what reached
// nobody is sent to others.
func TestTheDeadlineDoesNotKeepARequestFromItsFirstBackend(t *testing.T) {
	t.Parallel()
	alive := testbed.Backend(t, testbed.Says("hello"), testbed.Forgets())
	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t), testbed.DeadAddr(t), alive.Addr), testbed.PoolKeys("retry: {deadline: 1ms}"))
	for range 10 {
		edge.Post(t, "/track", event).HasStatus(200)
	}
}

// A body that is too large to be sent twice is not sent where it might have to be.
func TestALargeEventDoesNotRace(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		racing := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesWhenReused(), testbed.Forgets())
		edge := p.Edge(t, testbed.Pool(racing.Addr))
		for range 5 {
			edge.Post(t, "/track", event).HasStatus(200) // leaves a connection behind
			edge.Post(t, "/track", text(100_000)).HasStatus(200)
		}
	})
}

// A backend that stops resets who still waits in the line of its listener, and a
// proxy in front of a dead one accepts and closes: nothing was read then.
func TestAnEventThatNobodyReadIsSentAgain(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		go func() {
			for nc, err := l.Accept(); err == nil; nc, err = l.Accept() {
				nc.(*net.TCPConn).SetLinger(0) //nolint:errcheck // best effort
				nc.Close()
			}
		}()
		alive := testbed.Backend(t, testbed.Says("hello"), testbed.Forgets())
		edge := p.Edge(t, testbed.Pool(l.Addr().String(), alive.Addr))
		for range 20 {
			edge.Post(t, "/track", event).HasStatus(200).HasBody("hello")
		}
		assert.Equal(t, 20, alive.Heads())
	})
}
