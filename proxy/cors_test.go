package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

const page = "https://shop.test"

var asksToPost = []string{"Origin: " + page, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,x-timestamp"}

func TestAPreflightIsAnsweredAtTheEdge(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))

		res := edge.Ask(t, "OPTIONS /track", asksToPost...)

		res.HasStatus(204).HasBody("").Stays().Lacks("content-length").
			HasField("access-control-allow-origin", page).HasField("access-control-allow-credentials", "true").
			HasField("access-control-allow-methods", "POST, OPTIONS").HasField("access-control-allow-headers", "content-type,x-timestamp").
			HasField("access-control-max-age", "7200").
			HasField("vary", "Origin", "Access-Control-Request-Method, Access-Control-Request-Headers")
		edge.LastLogLine(t).Has("method", "OPTIONS").Has("status", 204).Has("reason", "ok").Has("attempts", 0)
		assert.Zero(t, backend.Heads())
	})
}

func TestAPreflightEchoesNamesOfFieldsOnly(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)))
		for asked, want := range map[string]string{
			"X-Own, content-type":  "X-Own, content-type",
			"a\"<script>":          "content-type, x-timestamp",
			"content-type: x; y=z": "content-type, x-timestamp",
			"":                     "content-type, x-timestamp",
		} {
			edge.Ask(t, "OPTIONS /track", "Origin: "+page, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: "+asked).
				HasStatus(204).HasField("access-control-allow-headers", want)
		}
	})
}

func TestTheEdgeOwnsTheFieldsOfCORS(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Field("access-control-allow-origin", "*"), testbed.Field("access-control-expose-headers", "x-own"),
			testbed.Field("access-control-allow-credentials", "false"))
		edge := p.Edge(t, testbed.Pool(backend.Addr))

		edge.Post(t, "/track", event, "Origin: "+page, "Cookie: beacons=carry").HasStatus(200).
			HasField("access-control-allow-origin", page).HasField("access-control-allow-credentials", "true").
			Lacks("access-control-expose-headers").HasField("vary", "Origin")
		edge.Post(t, "/track", event).HasStatus(200).Lacks("access-control-allow-origin").HasField("vary", "Origin")
	})
}

func TestAListOfOriginsRestricts(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Field("access-control-allow-origin", "*"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("cors: {origins: [\""+page+"\"], max_age: 0}"))
		stranger := []string{"Origin: https://evil.test", "Access-Control-Request-Method: POST"}

		edge.Ask(t, "OPTIONS /track", asksToPost...).HasStatus(204).HasField("access-control-allow-origin", page).Lacks("access-control-max-age")
		edge.Post(t, "/track", event, "Origin: "+page).HasStatus(200).HasField("access-control-allow-origin", page)
		edge.Post(t, "/track", event).HasStatus(200)
		for range 3 {
			edge.NextLogLine(t).Has("reason", "ok")
		}
		for _, res := range []*testbed.Result{
			edge.Ask(t, "OPTIONS /track", stranger...), edge.Post(t, "/track", event, stranger[0]),
			edge.Post(t, "/track", event, "Origin: null"), edge.Post(t, "/track", event, "Origin: "+page+".evil.test"),
		} {
			res.IsEdge(403, "origin_not_allowed").Lacks("access-control-allow-origin", "access-control-allow-methods").HasField("vary", "Origin")
			edge.NextLogLine(t).Has("status", 403).Has("reason", "origin_not_allowed").Has("attempts", 0)
		}
		assert.Equal(t, 2, backend.Heads())
	})
}

func TestAPageCanReadWhyItWasRefused(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)), testbed.Section("limits: {body: 10}"))
		for name, res := range map[string]*testbed.Result{
			"not exposed": edge.Ask(t, "GET /docs", "Origin: "+page),
			"too large":   edge.Post(t, "/track", event, "Origin: "+page),
			"no backend":  edge.Post(t, "/track", "{}", "Origin: "+page),
			"wrong host":  edge.Ask(t, "POST /track", "Host: other.test", "Origin: "+page, "Content-Length: 0"),
			"late":        edge.Raw(t, testbed.Head("POST /track", "Origin: "+page, "Transfer-Encoding: chunked")+"f\r\n"+text(15)+"\r\n"),
		} {
			assert.Equal(t, []string{page}, res.Header.Values("access-control-allow-origin"), name)
			assert.Equal(t, []string{"true"}, res.Header.Values("access-control-allow-credentials"), name)
			assert.Equal(t, []string{"Origin"}, res.Header.Values("vary"), name)
		}
	})
}

func TestCORSOffPassesPreflightsAndFieldsOn(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Field("access-control-allow-origin", "*"), testbed.Field("access-control-max-age", "1"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("cors: off"))

		edge.Ask(t, "OPTIONS /track", asksToPost...).HasStatus(200).HasField("access-control-allow-origin", "*").
			HasField("access-control-max-age", "1").Lacks("vary")
		req := backend.Next(t)
		assert.Equal(t, "OPTIONS /track HTTP/1.1", req.Line)
		assert.Equal(t, []string{"POST"}, req.Field("access-control-request-method"))
		edge.Ask(t, "OPTIONS /docs", asksToPost...).IsEdge(404, "not_exposed")
		edge.Ask(t, "PUT /track").IsEdge(405, "method_not_exposed").HasField("allow", "POST, OPTIONS")
	})
}

func TestTheGUILearnsWhyItWasRefusedAndPassesTheRestOn(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Field("access-control-allow-origin", "*"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("kind: gui", "clients: [127.0.0.1]"))

		edge.Ask(t, "OPTIONS /events", asksToPost...).HasStatus(200).HasField("access-control-allow-origin", "*").Lacks("vary")
		edge.AskBy(t, testbed.Way{From: "127.0.0.2"}, "GET /events", "Origin: "+page, "Authorization: Bearer t").
			IsEdge(403, "client_not_allowed").HasField("access-control-allow-origin", page).HasField("vary", "Origin")
	})
}
