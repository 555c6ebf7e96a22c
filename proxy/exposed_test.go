package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// open are the routes of a backend that need no login, and spellings that
// programs behind a proxy take for one of them or for /track.
var open = []string{
	"PUT /track", "GET /track", "DELETE /track", "PATCH /track", "HEAD /track", "TRACE /track", "BREW /track", "post /track",
	"GET /collect/type/source", "POST /collect/type/source", "POST /collect/type/source/session",
	"GET /redirect/1", "POST /redirect/1", "PUT /redirect/1", "DELETE /redirect/1/2",
	"POST /customer/consent", "GET /consents/types", "GET /consents/type/ids", "GET /consents/type/by_tag",
	"GET /consents/type/enabled", "GET /event/logs/1", "GET /flow/logs/1", "GET /node/logs/1",
	"GET /", "HEAD /", "OPTIONS /", "GET /info/version", "GET /info/versions", "GET /info/version/details", "GET /install", "POST /install",
	"GET /install/plugins", "GET /install/demo", "GET /healthcheck", "POST /healthcheck", "PUT /healthcheck", "DELETE /healthcheck",
	"OPTIONS /healthcheck", "POST /user/token", "POST /user/logout", "GET /openapi.json", "GET /docs", "GET /redoc",
	"GET /documentation/index.html", "GET /manual/en/", "GET /demo/", "GET /tracker/liliput.min.js", "GET /tracker/index.html",
	"GET /uix/index.html", "POST /tenant/install",

	"POST /tracker", "POST /trackx", "POST /Track", "POST /TRACK", "POST //track", "POST /track//", "POST /./track",
	"POST /x/../track", "POST /tra%63k", "POST /%74rack", "POST /track%2f", "POST /track%00", "POST /track%20", "POST /track;a=b",
	"POST /track/..", "POST /track/../install", "POST /track/x", "POST /track%2f..%2finstall", `POST /track\install`, "POST /track%0d%0a",
	"POST /.", "POST /..%2ftrack", "POST /track.", "POST /track+", "POST /api/track", "POST /track&x", "POST /track%3fa",
}

func TestThePublicReachesTrackAndNothingElse(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		client := edge.Dial(t, testbed.Way{})
		answers, logged := make([]*testbed.Result, len(open)), map[string]testbed.Line{}
		for i, line := range open {
			answers[i] = client.Ask(t, line, "Content-Length: 0").Stays()
		}
		for range open { // streams end in any order
			l := edge.NextLogLine(t)
			logged[fmt.Sprint(l.Fields["method"], " ", l.Fields["path"])] = l
		}
		for i, line := range open {
			t.Run(line, func(t *testing.T) {
				status, reason := refusalOf(line)
				isEdge(t, answers[i], line, status, reason)
				require.Contains(t, logged, line)
				logged[line].Has("status", status).Has("reason", reason).Has("attempts", 0).Has("backend", "").
					Has("bytes_out", len(answers[i].Body))
			})
		}
		assert.Zero(t, backend.Heads(), "requests that reached the backend")
		client.Post(t, "/track/", event).HasStatus(200)
		assert.Equal(t, "POST /track HTTP/1.1", backend.Next(t).Line, "never a redirect, which would lose the event")
	})
}

// refusalOf is what becomes of a line of open.
func refusalOf(line string) (status int, reason string) {
	if strings.HasSuffix(line, " /track") {
		return 405, "method_not_exposed"
	}
	return 404, "not_exposed"
}

// isEdge demands the answer of the gate itself to a line of open.
func isEdge(t *testing.T, res *testbed.Result, line string, status int, reason string) {
	t.Helper()
	res.HasStatus(status).HasField("vary", "Origin")
	if status == 405 {
		res.HasField("allow", "POST, OPTIONS")
	}
	if strings.HasPrefix(line, "HEAD ") {
		assert.Empty(t, res.Body)
		return
	}
	res.IsEdge(status, reason)
}

func TestPresetsOpenWhatTheyName(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		for preset, rows := range map[string]struct{ passes, refused []string }{
			"track":    {[]string{"POST /track"}, []string{"GET /tracker/liliput.min.js"}},
			"tracker":  {[]string{"GET /tracker/liliput.min.js", "HEAD /tracker/liliput.min.js.map"}, []string{"GET /tracker/index.html", "POST /track"}},
			"uix":      {[]string{"GET /uix/a.js", "HEAD /uix/b/c.css?v=1"}, []string{"GET /uix", "GET /uix/%2e%2e/docs", "GET /uix/../docs"}},
			"consent":  {[]string{"POST /customer/consent", "GET /consents/type/enabled"}, []string{"GET /consents/types", "GET /consents/type/ids"}},
			"collect":  {[]string{"GET /collect/t/s", "POST /collect/t/s/x"}, []string{"GET /collect", "GET /collect/t", "GET /collect/t/s/x/y"}},
			"redirect": {[]string{"GET /redirect/1", "PUT /redirect/1/2"}, []string{"GET /redirect", "GET /redirect/1/2/3"}},
		} {
			t.Run(preset, func(t *testing.T) {
				t.Parallel()
				edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: ["+preset+"]"))
				client := edge.Dial(t, testbed.Way{})
				for _, line := range rows.passes {
					client.Ask(t, line, "Content-Length: 0").HasStatus(200)
					edge.NextLogLine(t).Has("reason", "ok").Has("backend", backend.Addr)
				}
				for _, line := range rows.refused {
					client.Ask(t, line, "Content-Length: 0").IsEdge(404, "not_exposed")
				}
			})
		}
	})
}

func TestAPathOfItsOwnIsOpenedForItsMethods(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [track, {methods: [PUT], path: /own/*}]"))

		edge.Ask(t, "PUT /own/thing", "Content-Length: 0").HasStatus(200)
		edge.Ask(t, "GET /own/thing").IsEdge(405, "method_not_exposed").HasField("allow", "PUT, OPTIONS")

		assert.Equal(t, "PUT /own/thing HTTP/1.1", backend.Next(t).Line)
		assert.Equal(t, 1, backend.Heads())
	})
}

func TestTheGUIReachesEverythingThatIsSpelledClearly(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("kind: gui", "clients: [127.0.0.1]"))
		client := edge.Dial(t, testbed.Way{})
		for _, line := range []string{"GET /", "OPTIONS /events", "DELETE /rule/a%20b", "PATCH /x", "GET /flow/logs/1?a=%2e%2e/b"} {
			client.Ask(t, line, "Content-Length: 0").HasStatus(200)
			assert.Equal(t, line+" HTTP/1.1", backend.Next(t).Line)
		}
		for _, line := range []string{"GET /a/../b", "GET /a%2fb", "GET /%2e%2e/b", `GET /a\b`} {
			client.Ask(t, line).IsEdge(400, "malformed")
		}
		client.Ask(t, "TRACE /").IsEdge(405, "method_not_exposed")
		assert.Equal(t, 5, backend.Heads())
	})
}
