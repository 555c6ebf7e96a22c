package proxy_test

import (
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

func TestWhatIsTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("limits: {body: 70KiB}"),
			testbed.Section("limits: {head: 2KiB, target: 100, fields: 10, body: 1KiB}"))
		tooMuch := strings.Repeat("x", 70<<10+1)
		for _, row := range []struct {
			name, raw string
			status    int
			reason    string
		}{
			{"length", testbed.Head("POST /track", "Content-Length: 71681"), 413, "body_too_large"},
			{"length, expected", testbed.Head("POST /track", "Content-Length: 71681", "Expect: 100-continue"), 413, "body_too_large"},
			{"chunks", testbed.Head("POST /track", "Transfer-Encoding: chunked") + testbed.Chunked(tooMuch, 4000), 413, "body_too_large"},
			{"a chunk", testbed.Head("POST /track", "Transfer-Encoding: chunked") + testbed.Chunked(tooMuch, len(tooMuch)), 413, "body_too_large"},
			{"head", testbed.Head("POST /track", "X-Long: "+strings.Repeat("x", 2048)), 431, "head_too_large"},
			{"fields", testbed.Head("POST /track", strings.Split(strings.Repeat("X: 1;", 10)+"X: 1", ";")...), 431, "head_too_large"},
			{"target", testbed.Head("POST /track?" + strings.Repeat("x", 94)), 414, "target_too_long"},
		} {
			t.Run(row.name, func(t *testing.T) {
				client := edge.Dial(t, testbed.Way{})
				client.Offer(row.raw)
				client.Answer(t, "POST").IsEdge(row.status, row.reason).Closes()
				edge.NextLogLine(t).Has("status", row.status).Has("reason", row.reason)
			})
		}
		before := backend.Heads()
		edge.Raw(t, testbed.Head("POST /track?"+strings.Repeat("x", 93))).HasStatus(200)
		edge.Raw(t, testbed.Head("POST /track", strings.Split(strings.Repeat("X: 1;", 8)+"X: 1", ";")...)).HasStatus(200)
		edge.Post(t, "/track", tooMuch[1:]).HasStatus(200)
		assert.Equal(t, before+3, backend.Heads())
	})
}

// refusals returns how many connections were refused for a cause.
func refusals(t *testing.T, edge *testbed.Gate, cause string) (n float64) {
	t.Helper()
	for _, line := range edge.Metrics(t) {
		if strings.HasPrefix(line, "trackgate_connections_refused_total{") && strings.Contains(line, `cause="`+cause+`"`) {
			n += edge.Metric(t, line[:strings.LastIndexByte(line, ' ')])
		}
	}
	return n
}

func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, row := range map[string]struct{ limits, second, cause string }{
			"of the gate":   {"{connections: 1}", "127.0.0.2", "connections"},
			"of one client": {"{connections_per_client: 1}", "127.0.0.1", "connections_per_client"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t)
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("limits: "+row.limits))
				first := edge.Dial(t, testbed.Way{})
				first.Post(t, "/track", event).HasStatus(200)

				_, err := edge.TryDial(t, testbed.Way{From: row.second})
				require.Error(t, err, "a second connection")
				assert.Positive(t, refusals(t, edge, row.cause), "an operator can see it")
				edge.Journal(t, "a connection was refused")

				first.Post(t, "/track", event).HasStatus(200)
				first.Close()
				edge.Shows(t, p.Connections(), 0)
				require.Eventually(t, func() bool {
					_, err := edge.TryDial(t, testbed.Way{From: row.second})
					return err == nil
				}, testbed.Patience, 5*time.Millisecond, "room again")
			})
		}
	})
}

func TestIdleConnectionsDoNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		ready := make(chan struct{})
		backend := testbed.Backend(t, testbed.Waits(ready))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("limits: {connections: 2}"))
		idle, busy := edge.Dial(t, testbed.Way{}), edge.Dial(t, testbed.Way{})
		idle.Ask(t, "GET /docs").HasStatus(404).Stays()
		busy.Send(t, testbed.Head("POST /track"))
		asleep(t)

		third := edge.Dial(t, testbed.Way{})
		idle.Silent(t)
		third.Ask(t, "GET /docs").HasStatus(404)
		close(ready)
		busy.Answer(t, "POST").HasStatus(200)
		edge.Shows(t, p.Connections(), 2)
	})
}

func TestAClientBehindASenderHasItsOwnCount(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("proxy_protocol: [127.0.0.1]"), testbed.Section("limits: {connections_per_client: 1}"))
	from := func(ip string) testbed.Way {
		return testbed.Way{Before: "PROXY TCP4 " + ip + " 192.0.2.1 5000 443\r\n"}
	}
	first := edge.Dial(t, from("203.0.113.1"))
	edge.Dial(t, from("203.0.113.2"))
	_, err := edge.TryDial(t, from("203.0.113.1"))
	require.Error(t, err, "a second connection of the same client")
	first.Close()
	require.Eventually(t, func() bool {
		_, err := edge.TryDial(t, from("203.0.113.1"))
		return err == nil
	}, testbed.Patience, tick, "room again")
}

func TestATrustedProxyBringsManyClients(t *testing.T) {
	t.Parallel()
	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("limits: {connections_per_client: 1}", "trusted_proxies: [127.0.0.1]"))
	for range 3 {
		edge.Dial(t, testbed.Way{})
	}
	edge.Dial(t, testbed.Way{From: "127.0.0.2"})
	_, err := edge.TryDial(t, testbed.Way{From: "127.0.0.2"})
	require.Error(t, err, "anybody else is counted")
}

func TestOtherClientsHaveTheirOwnCount(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("limits: {connections_per_client: 1}"))
		for i := range 5 {
			edge.Dial(t, testbed.Way{From: "127.0.0." + strconv.Itoa(10+i)})
		}
		edge.Shows(t, p.Connections(), 5)
	})
}

func TestWhoIsTooSlowIsTold(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {head: 150ms, body: 150ms}"))
		rows := map[string]string{
			"body":           testbed.Head("POST /track", "Content-Length: 10") + "12345",
			"no body":        testbed.Head("POST /track", "Content-Length: 10"),
			"chunks":         testbed.Head("POST /track", "Transfer-Encoding: chunked") + "5\r\n12345\r\n",
			"the last chunk": testbed.Head("POST /track", "Transfer-Encoding: chunked") + "5\r\n12345\r\n0\r\n",
		}
		if p == testbed.HTTP1 { // half a frame is no request yet
			rows["head"] = "POST /track HTTP/1.1\r\nHost: track.test\r\nX-Slow: "
			rows["one byte"] = "P"
		}
		for name, raw := range rows {
			t.Run(name, func(t *testing.T) {
				edge.Raw(t, raw).IsEdge(408, "client_too_slow").Closes()
				edge.NextLogLine(t).Has("status", 408).Has("reason", "client_too_slow").Has("attempts", 0)
			})
		}
		assert.Zero(t, backend.Heads())
	})
}

func TestAHeadThatDripsHasAnAbsoluteDeadline(t *testing.T) {
	t.Parallel()
	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("timeouts: {head: 300ms}"))
	client := edge.Dial(t, testbed.Way{})
	start := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for _, b := range []byte("POST /track HTTP/1.1\r\nX-Slow: " + strings.Repeat("x", 2000)) {
			<-ticker.C
			if _, err := client.Write([]byte{b}); err != nil {
				return
			}
		}
	}()
	client.Answer(t, "POST").IsEdge(408, "client_too_slow")
	assert.Less(t, time.Since(start), 10*time.Second)
	client.Close()
	<-done
}

func TestAStalledHandshakeEnds(t *testing.T) {
	t.Parallel()
	edge := testbed.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("timeouts: {handshake: 100ms}"))
	for _, before := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
		client := edge.Dial(t, testbed.Way{Plain: true, Before: before})
		client.Silent(t)
	}
	edge.Shows(t, `trackgate_handshakes_total{listener="public",result="failed"}`, 2)
	edge.NoLogLine(t)
}

func TestAnIdleConnectionEndsWithTheKeepAliveTime(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		for name, keep := range map[string]string{"short": "100ms", "through a sleep": "1300ms"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {keep_alive: "+keep+"}"))
				client := edge.Dial(t, testbed.Way{})
				client.Post(t, "/track", event).HasStatus(200).Stays()
				start, least := time.Now(), duration(t, keep)
				client.Silent(t)
				assert.InDelta(t, least.Seconds(), time.Since(start).Seconds(), 0.9)
				edge.NextLogLine(t).Has("status", 200)
				edge.NoLogLine(t)
			})
		}
	})
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}

func TestAConnectionWakesUpForARequest(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	for name, row := range map[string]struct {
		protocol testbed.Protocol
		tls      string
	}{"plain": {testbed.HTTP1, "off"}, "sealed": {testbed.HTTP1, "on"}, "HTTP/2.0": {testbed.HTTP2, "on"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edge := row.protocol.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("tls: "+row.tls))
			client := edge.Dial(t, testbed.Way{Plain: row.tls == "off"})
			client.Post(t, "/track", event).HasStatus(200)
			asleep(t)
			client.Post(t, "/track", event).HasStatus(200)
			edge.NextLogLine(t).Has("status", 200)
			edge.NextLogLine(t).Has("status", 200)
		})
	}
}

// asleep returns when connections that were used before are asleep.
func asleep(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(1500 * time.Millisecond): // they stay awake for a second
	case <-t.Context().Done():
	}
}

func TestAnswersThatNobodyReadAreNotLeftWithTheSystem(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says(strings.Repeat("x", 32<<20)))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {write: 200ms}"))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track"))

		edge.NextLogLine(t).Has("reason", "client_closed")
		edge.Shows(t, p.Connections(), 0)
		_, err := io.Copy(io.Discard, client)
		assert.ErrorIs(t, err, syscall.ECONNRESET)
	})
}

func TestAClientThatDoesNotReadHoldsNoBackend(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 32<<20)
	backend := testbed.Backend(t, testbed.Says(large))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("tls: off"), testbed.Section("timeouts: {write: 200ms}"))
	client := edge.Dial(t, testbed.Way{Plain: true, Before: testbed.Head("POST /track")})

	edge.NextLogLine(t).Has("status", 200).Has("reason", "client_closed").Has("backend", backend.Addr)
	client.Answer(t, "POST").IsCut()
	assert.Zero(t, edge.Metric(t, `trackgate_backend_requests_total{backend="`+backend.Addr+`",pool="collectors",result="backend_closed"}`))
}
