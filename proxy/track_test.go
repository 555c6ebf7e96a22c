package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

const event = `{"source": {"id": "s"}, "events": [{"type": "page-view"}]}`

// trackerFields are what the tracker script in a browser sends.
var trackerFields = []string{
	"User-Agent: Mozilla/5.0", "Accept: */*", "Origin: https://shop.test", "Referer: https://shop.test/",
	"X-Timestamp: 1700000000", "Accept-Encoding: gzip, deflate, br", "Connection: keep-alive",
}

func TestAnEventReachesTheBackendAndItsAnswerThePage(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says(`{"profile": {"id": "p"}}`), testbed.Field("content-type", "application/json"))
		edge := p.Edge(t, testbed.Pool(backend.Addr))

		res := edge.Post(t, "/track?profile_less=true", event, trackerFields...)

		res.HasStatus(200).HasBody(`{"profile": {"id": "p"}}`).HasField("content-type", "application/json").Stays()
		req := backend.Next(t)
		assert.Equal(t, "POST /track?profile_less=true HTTP/1.1", req.Line)
		assert.Equal(t, event, req.Body)
		edge.LastLogLine(t).Has("listener", "public").Has("client", "127.0.0.1").
			Has("method", "POST").Has("host", testbed.Host).Has("path", "/track").Has("status", 200).Has("reason", "ok").
			Has("bytes_in", len(event)).Has("bytes_out", len(res.Body)).Has("backend", backend.Addr).Has("attempts", 1).
			Has("reused", false).Has("tls", "1.3").Has("user_agent", "Mozilla/5.0")
	})
}

func TestTheBackendSeesExactlyTheseFieldsOfTheTracker(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))

		edge.Post(t, "/track", event, trackerFields...).HasStatus(200)

		assert.Equal(t, []string{
			"host: track.test",
			"content-type: application/json",
			"user-agent: Mozilla/5.0",
			"accept: */*",
			"origin: https://shop.test",
			"referer: https://shop.test/",
			"x-timestamp: 1700000000",
			"accept-encoding: gzip, deflate, br",
			"x-forwarded-for: 127.0.0.1",
			"x-forwarded-proto: https",
			"x-forwarded-host: track.test",
			"x-request-id: " + requestID(t, edge),
			"content-length: 58",
		}, backend.Next(t).Fields)
	})
}

// hostile are fields that a client would like the backend to believe.
var hostile = []string{
	"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7", "X-Real-IP: 6.6.6.6", "X-Real-IP: 7.7.7.7",
	"Forwarded: for=6.6.6.6", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1",
	"X-Original-URL: /install", "X-Rewrite-URL: /install", "Proxy: http://evil.test", "True-Client-IP: 6.6.6.6",
	"x.real.ip: 6.6.6.6", "X-My-IP: 6.6.6.6", "X-Request-ID: mine", "X-Request-ID: or-mine", "Keep-Alive: 300", "TE: trailers",
	"Connection: x-hop, x-forwarded-for, host", "X-Hop: 1", "Upgrade: h2c", "HTTP2-Settings: AAMA",
	"Proxy-Authorization: Basic eDp5", "Authorization: Bearer t", "Cookie: a=b", "X-Context: staging", "Scheme: ftp",
}

func TestTheBackendBelievesNobodyButTheGate(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		passed := []string{"authorization: Bearer t", "cookie: a=b", "x-context: staging", "scheme: ftp"}
		edgeFields := []string{"x-forwarded-for: 127.0.0.1", "x-forwarded-proto: https", "x-forwarded-host: track.test",
			"x-real-ip: 127.0.0.1", "x-my-ip: 127.0.0.1"}
		for name, row := range map[string]struct {
			kind []string
			want []string
		}{
			"public": {[]string{"client_ip_header: X-My-IP"}, edgeFields},
			"gui":    {[]string{"client_ip_header: X-My-IP", "kind: gui", "clients: [127.0.0.1]"}, append(passed, edgeFields...)},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t)
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener(row.kind...))
				edge.Post(t, "/track", event, hostile...).HasStatus(200)
				want := append([]string{"host: track.test", "content-type: application/json", "content-length: 58",
					"x-request-id: " + requestID(t, edge)}, row.want...)
				assert.ElementsMatch(t, want, backend.Next(t).Fields)
			})
		}
	})
}

func TestTheClientSeesOfTheBackendWhatItsKindOfListenerShows(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("x"), testbed.Field("server", "uvicorn"), testbed.Field("x-process-time", "0.1"),
			testbed.Field("connection", "keep-alive, x-hop"), testbed.Field("keep-alive", "timeout=5"), testbed.Field("x-hop", "1"),
			testbed.Field("set-cookie", "a=b"), testbed.Field("set-cookie", "c=d"), testbed.Field("x-own", "1"))
		for name, row := range map[string]struct {
			kind   []string
			server []string
		}{
			"public": {nil, nil},
			"gui":    {[]string{"kind: gui", "clients: [127.0.0.1]"}, []string{"uvicorn"}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener(row.kind...))
				res := edge.Post(t, "/track", event).HasStatus(200).HasBody("x").Lacks("keep-alive", "x-hop", "connection")
				res.HasField("set-cookie", "a=b", "c=d").HasField("x-own", "1")
				assert.Equal(t, row.server, res.Header["Server"])
				assert.Equal(t, row.server == nil, res.Header.Get("x-process-time") == "")
			})
		}
	})
}

func TestTheHostReachesTheBackendAsTheClientWroteIt(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))

		edge.Ask(t, "POST /track", "Host: Track.Test:443", "Content-Length: 0").HasStatus(200)

		req := backend.Next(t)
		assert.Equal(t, []string{"Track.Test:443"}, req.Field("host"))
		assert.Equal(t, []string{"Track.Test:443"}, req.Field("x-forwarded-host"))
		assert.Equal(t, []string{"0"}, req.Field("content-length"))
	})
}

func TestAListenerCanAddItsFieldsAndTakeOffABasePath(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Field("strict-transport-security", "max-age=1"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("hsts: 180d", "base_path: /api"))

		edge.Post(t, "/api/track?a=b", event).HasStatus(200).HasField("strict-transport-security", "max-age=15552000")
		edge.Post(t, "/track", event).IsEdge(404, "not_exposed").HasField("strict-transport-security", "max-age=15552000")
		edge.Ask(t, "OPTIONS /api/track").HasStatus(204).HasField("strict-transport-security", "max-age=15552000")

		assert.Equal(t, "POST /track?a=b HTTP/1.1", backend.Next(t).Line)
		assert.Equal(t, 1, backend.Heads())
	})
}

func TestTheTextOfA500StaysInside(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		secret := "Traceback!: password=hunter2 " + strings.Repeat("é", 2000)
		backend := testbed.Backend(t, testbed.Status(500), testbed.Says(secret))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("hide_errors: true"))

		edge.Post(t, "/track", event).IsEdge(500, "backend_error").Stays()

		edge.Post(t, "/track", event, "Origin: "+page).IsEdge(500, "backend_error").HasField("access-control-allow-origin", page)

		edge.NextLogLine(t).Has("status", 500).Has("reason", "backend_error").Has("backend", backend.Addr)
		said := edge.Journal(t, "hidden")
		assert.Contains(t, said, "hunter2 éé")
		assert.Less(t, len(said), 3000)
	})
}
