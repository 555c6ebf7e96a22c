package proxy_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/internal/testtraces"
	"github.com/trackgate/trackgate/internal/traces"
)

// requestID is what the next line of the access log calls the exchange.
func requestID(t *testing.T, edge *testbed.Gate) string {
	t.Helper()
	id, ok := edge.NextLogLine(t).Fields["request_id"].(string)
	require.True(t, ok)
	return id
}

// made is what the gate calls an exchange itself.
const made = `^[0-9a-f]{32}$`

func TestOnlyATrustedProxyNamesAnExchange(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Section("trusted_proxies: [127.0.0.9]"))
		for _, row := range []struct {
			from   string
			fields []string
			taken  bool
		}{
			{"127.0.0.9", []string{"X-Request-ID: 7b0f-4d.A_z"}, true},
			{"127.0.0.9", []string{"X-Request-ID: x"}, true},
			{"127.0.0.9", []string{"X-Request-ID: " + strings.Repeat("a", 128)}, true},
			{"127.0.0.9", []string{"Connection: x-request-id", "X-Request-ID: named-away"}, p == testbed.HTTP1},
			{"127.0.0.1", []string{"X-Request-ID: 7b0f-4d.A_z"}, false},
			{"127.0.0.1", []string{"X-Request-ID: 7b0f-4d.A_z", "X-Forwarded-For: 127.0.0.9"}, false},
			{"127.0.0.9", nil, false},
			{"127.0.0.9", []string{"X-Request-ID: "}, false},
			{"127.0.0.9", []string{"X-Request-ID: " + strings.Repeat("a", 129)}, false},
			{"127.0.0.9", []string{"X-Request-ID: one", "X-Request-ID: two"}, false},
			{"127.0.0.9", []string{"X-Request-ID: one two"}, false},
			{"127.0.0.9", []string{"X-Request-ID: one,two"}, false},
			{"127.0.0.9", []string{`X-Request-ID: a"b`}, false},
			{"127.0.0.9", []string{"X-Request-ID: a/b"}, false},
			{"127.0.0.9", []string{"X-Request-ID: ${jndi:x}"}, false},
			{"127.0.0.9", []string{"X-Request-ID: é"}, false},
		} {
			if p == testbed.HTTP2 && len(row.fields) > 0 && strings.HasPrefix(row.fields[0], "Connection") {
				continue // HTTP/2 has no such field
			}
			edge.AskBy(t, testbed.Way{From: row.from}, "POST /track", append(row.fields, "Content-Length: 0")...).HasStatus(200)
			id := requestID(t, edge)
			if row.taken {
				assert.Contains(t, row.fields, "X-Request-ID: "+id)
			} else {
				assert.Regexp(t, made, id, "%v", row.fields)
			}
			assert.Equal(t, []string{id}, backend.Next(t).Field("x-request-id"), "the backend knows the same one")
		}
	})
}

func TestARefusedExchangeKeepsItsName(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("trusted_proxies: [127.0.0.1]"))
		for line, status := range map[string]int{"GET /docs": 404, "POST /track": 502} {
			edge.Ask(t, line, "X-Request-ID: by-the-proxy", "Content-Length: 0").HasStatus(status)
			edge.NextLogLine(t).Has("request_id", "by-the-proxy").Has("status", status)
		}
	})
}

func TestEveryAttemptHasTheSameName(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		first := testbed.Backend(t, testbed.Status(503))
		second := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(first.Addr, second.Addr), testbed.PoolKeys("retry: {non_idempotent: true}"))
		edge.Post(t, "/track", event).HasStatus(200)
		line := edge.LastLogLine(t).Has("attempts", 2)
		want := []string{line.Fields["request_id"].(string)}
		assert.Equal(t, want, first.Next(t).Field("x-request-id"))
		assert.Equal(t, want, second.Next(t).Field("x-request-id"))
	})
}

const (
	trace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent = "00-" + trace + "-00f067aa0ba902b7-01"
)

// Whoever it is from, where the gate takes no part in it.
func TestTheContextOfATraceIsPassedOnAsItCame(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for _, row := range []struct {
			parents, states []string
			logged          bool
		}{
			{[]string{parent}, []string{"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}, true},
			{[]string{parent}, []string{"congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7 , a@b=c"}, true},
			{[]string{parent}, nil, true},
			{[]string{parent[:53] + "00"}, nil, true},
			{[]string{"01" + parent[2:]}, nil, true},
			{[]string{"cc" + parent[2:] + "-what-will-be"}, nil, true},
			{nil, nil, false},
			{nil, []string{"congo=t61rcWkgMzE"}, false},
			{[]string{parent, parent}, nil, false},
			{[]string{""}, nil, false},
			{[]string{trace}, nil, false},
			{[]string{parent[:54]}, nil, false},
			{[]string{parent + "-more"}, nil, false},
			{[]string{parent + "0"}, nil, false},
			{[]string{"01" + parent[2:] + "0"}, nil, false},
			{[]string{"ff" + parent[2:]}, nil, false},
			{[]string{"0x" + parent[2:]}, nil, false},
			{[]string{strings.ToUpper(parent)}, nil, false},
			{[]string{strings.Replace(parent, trace, strings.Repeat("0", 32), 1)}, nil, false},
			{[]string{strings.Replace(parent, "00f067aa0ba902b7", strings.Repeat("0", 16), 1)}, nil, false},
			{[]string{strings.Replace(parent, "4bf9", `4b"9`, 1)}, nil, false},
			{[]string{strings.ReplaceAll(parent, "-", "_")}, nil, false},
			{[]string{parent[:53] + "zz"}, nil, false},
		} {
			fields := []string{"Content-Length: 0"}
			for _, v := range row.parents {
				fields = append(fields, "traceparent: "+v)
			}
			for _, v := range row.states {
				fields = append(fields, "tracestate: "+v)
			}
			edge.Ask(t, "POST /track", fields...).HasStatus(200)
			line := edge.NextLogLine(t)
			if row.logged {
				line.Has("trace_id", trace)
			} else {
				assert.NotContains(t, line.Fields, "trace_id", "%v", row.parents)
			}
			got := backend.Next(t)
			assert.Equal(t, row.parents, got.Field("traceparent"))
			assert.Equal(t, row.states, got.Field("tracestate"))
		}
	})
}

// What is ok and has the level info may be sampled; a backend's own 5xx is neither lost
// nor blamed on the gate.
func TestABackendsOwnFailureIsNoneOfTheGate(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for status, level := range map[int]string{200: "info", 226: "info", 422: "info", 500: "error", 503: "error"} {
			backend := testbed.Backend(t, testbed.Status(status))
			edge := p.Edge(t, testbed.Pool(backend.Addr))
			edge.Post(t, "/track", event).HasStatus(status)
			edge.LastLogLine(t).Has("status", status).Has("reason", "ok").Has("level", level)
		}
	})
}

// tracing returns an exporter with this share, and what ends it and returns its spans.
func tracing(t *testing.T, share float64) (e *traces.Exporter, spans func() []*tracepb.Span) {
	t.Helper()
	c := testtraces.Start(t, nil)
	e = traces.New(nil)
	e.Set(traces.Options{URL: c.URL, Sample: share})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		e.Run(ctx)
		close(done)
	}()
	return e, func() []*tracepb.Span {
		cancel()
		<-done
		return c.Spans()
	}
}

// What a backend does hangs below the gate's span, and that below what the client did.
func TestAnExchangeIsASpan(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		e, spans := tracing(t, 1)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Traced(e))
		edge.Ask(t, "POST /track", "Content-Length: 0", "traceparent: "+parent, "tracestate: a=b").HasStatus(200)
		edge.NextLogLine(t).Has("trace_id", trace)
		got := backend.Next(t)
		assert.Equal(t, []string{"a=b"}, got.Field("tracestate"))
		require.Len(t, got.Field("traceparent"), 1)
		below := strings.Split(got.Field("traceparent")[0], "-")
		assert.Equal(t, []string{"00", trace, "01"}, []string{below[0], below[1], below[3]})

		edge.Ask(t, "POST /track", "Content-Length: 0", "traceparent: 00-none-01", "tracestate: a=b").HasStatus(200)
		anew := edge.NextLogLine(t).Fields["trace_id"].(string)
		assert.Regexp(t, made, anew)
		got = backend.Next(t)
		assert.Empty(t, got.Field("tracestate"), "nobody knows of what trace it is")
		require.Len(t, got.Field("traceparent"), 1)
		assert.Contains(t, got.Field("traceparent")[0], anew)

		edge.Ask(t, "GET /secret").HasStatus(404)
		all := spans()
		require.Len(t, all, 3)
		assert.Equal(t, trace, hex.EncodeToString(all[0].TraceId))
		assert.Equal(t, "00f067aa0ba902b7", hex.EncodeToString(all[0].ParentSpanId))
		assert.Equal(t, below[2], hex.EncodeToString(all[0].SpanId))
		assert.Equal(t, anew, hex.EncodeToString(all[1].TraceId))
		assert.Empty(t, all[1].ParentSpanId)
		assert.NotEqual(t, all[1].TraceId, all[2].TraceId)
	})
}

func TestEveryAttemptHangsBelowTheSameSpan(t *testing.T) {
	t.Parallel()
	first, second := testbed.Backend(t, testbed.Status(503)), testbed.Backend(t)
	e, spans := tracing(t, 1)
	edge := testbed.Edge(t, testbed.Pool(first.Addr, second.Addr), testbed.PoolKeys("retry: {non_idempotent: true}"), testbed.Traced(e))
	edge.Post(t, "/track", event).HasStatus(200)
	want := first.Next(t).Field("traceparent")
	assert.Len(t, want, 1)
	assert.Equal(t, want, second.Next(t).Field("traceparent"))
	assert.Len(t, spans(), 1)
}

// A stranger's flag decides nothing, or anybody could have the gate tell of everything.
func TestOnlyATrustedProxyDecidesWhatIsTraced(t *testing.T) {
	t.Parallel()
	unsampled := parent[:53] + "00"
	for _, row := range []struct {
		from, parent string
		share        float64
		traced       bool
	}{
		{"127.0.0.9", parent, 0, true},
		{"127.0.0.9", unsampled, 1, false},
		{"127.0.0.9", parent[:53] + "0b", 0, true},
		{"127.0.0.9", parent[:53] + "0a", 1, false},
		{"127.0.0.9", "none", 1, true},
		{"127.0.0.1", parent, 0, false},
		{"127.0.0.1", unsampled, 1, true},
	} {
		backend := testbed.Backend(t)
		e, spans := tracing(t, row.share)
		edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Section("trusted_proxies: [127.0.0.9]"), testbed.Traced(e))
		edge.AskBy(t, testbed.Way{From: row.from}, "POST /track", "Content-Length: 0", "traceparent: "+row.parent).HasStatus(200)
		edge.NextLogLine(t)
		got := backend.Next(t).Field("traceparent")
		if row.traced {
			assert.Len(t, spans(), 1, "%v", row)
			assert.NotEqual(t, []string{row.parent}, got)
		} else {
			assert.Empty(t, spans(), "%v", row)
			assert.Equal(t, []string{row.parent}, got, "as it came")
		}
	}
}
