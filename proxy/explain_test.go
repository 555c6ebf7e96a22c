package proxy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
)

const explained = `
listeners:
  - {name: public, kind: public, address: ":443", hosts: [track.test], cors: {origins: ["https://shop.test"]}, pool: p}
  - {name: gui, kind: gui, address: ":443", hosts: ["*.gui.test"], clients: [10.0.0.0/8], pool: p}
  - {name: plain, kind: redirect, address: ":80"}
pools:
  - {name: p, backends: ["http://127.0.0.1:8001", {url: "http://127.0.0.1:8002", weight: 2}]}
tls: {issuer: internal, storage: /nowhere}
trusted_proxies: [192.0.2.1]
`

func ask(t *testing.T, q proxy.Question) *proxy.Verdict {
	t.Helper()
	settings, err := configs.Parse("test.yaml", []byte(explained), nil)
	require.NoError(t, err)
	if !q.From.IsValid() {
		q.From = netip.MustParseAddr("203.0.113.7")
	}
	v, err := proxy.Explain(settings, q)
	require.NoError(t, err)
	return v
}

func TestExplainDecidesAsTheGateDoes(t *testing.T) {
	t.Parallel()
	inside := netip.MustParseAddr("10.1.2.3")
	for _, row := range []struct {
		q      proxy.Question
		status int
		reason string
		said   string
	}{
		{proxy.Question{Listener: "public", Method: "POST", URL: "/track?a=b"}, 0, "ok", "asked of a backend as /track?a=b"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "https://track.test/track/"}, 0, "ok", "127.0.0.1:8002 (weight 2)"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/track", Origin: "https://shop.test"}, 0, "ok", "anybody may come"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/track", Origin: "https://evil.test"}, 403, "origin_not_allowed", "403"},
		{proxy.Question{Listener: "public", Method: "OPTIONS", URL: "/track"}, 0, "ok", "answered here: preflight"},
		{proxy.Question{Listener: "public", Method: "PUT", URL: "/track"}, 405, "method_not_exposed", "POST, OPTIONS"},
		{proxy.Question{Listener: "public", Method: "GET", URL: "/docs"}, 404, "not_exposed", "404 not_exposed"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "https://x.gui.test/track"}, 421, "wrong_host", "421"},
		{proxy.Question{Listener: "public", Method: "PO ST", URL: "/track"}, 400, "malformed", "400"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/tra\r\nck"}, 400, "malformed", "400"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/track#x"}, 400, "malformed", "400"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/track HTTP/1.1\r\n\r\n"}, 400, "malformed", "400"},
		{proxy.Question{Listener: "public", Method: "POST", URL: "/" + strings.Repeat("x", 40_000)}, 414, "target_too_long", "414"},
		{proxy.Question{Listener: "public", Method: "GET", URL: "https://track.test"}, 404, "not_exposed", "GET / for host track.test"},
		{proxy.Question{Listener: "gui", Method: "GET", URL: "/docs", From: inside}, 0, "ok", "10.1.2.3 is in the clients"},
		{proxy.Question{Listener: "gui", Method: "GET", URL: "/docs"}, 403, "client_not_allowed", "403"},
		{proxy.Question{Listener: "gui", Method: "GET", URL: "/a/../b", From: inside}, 400, "malformed", "400"},
		{proxy.Question{Listener: "gui", Method: "GET", URL: "/", From: netip.MustParseAddr("192.0.2.1")}, 403, "client_not_allowed", "trusted proxy"},
		{proxy.Question{Listener: "plain", Method: "GET", URL: "http://track.test/a?b"}, 0, "ok", "redirect to https://track.test/a?b"},
		{proxy.Question{Listener: "plain", Method: "GET", URL: "http://other.test/"}, 421, "wrong_host", "421"},
		{proxy.Question{Listener: "plain", Method: "GET", URL: "http://track.test/.well-known/acme-challenge/x"}, 0, "ok", "while an authority waits for it"},
		{proxy.Question{Listener: "plain", Method: "POST", URL: "/track"}, 405, "method_not_exposed", "405"},
	} {
		v := ask(t, row.q)
		assert.Equal(t, row.reason, v.Reason, "%+v", row.q)
		assert.Equal(t, row.status, v.Status, "%+v", row.q)
		assert.Equal(t, row.status == 0, v.Allowed, "%+v", row.q)
		assert.Contains(t, steps(v), row.said, "%+v", row.q)
	}
}

func steps(v *proxy.Verdict) string {
	var b strings.Builder
	for _, s := range v.Steps {
		b.WriteString(s.Step + ": " + s.Result + "\n")
	}
	return b.String()
}

func TestExplainKnowsItsListeners(t *testing.T) {
	t.Parallel()
	settings, err := configs.Parse("test.yaml", []byte(explained), nil)
	require.NoError(t, err)
	_, err = proxy.Explain(settings, proxy.Question{Listener: "publik", Method: "GET", URL: "/"})
	require.EqualError(t, err, `no listener is named "publik": there are public, gui, plain`)
}

// TestExplainAndTheGateAgree asks both about every third line of what is open behind them.
func TestExplainAndTheGateAgree(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge := p.Edge(t, testbed.Pool(testbed.DeadAddr(t)))
		client := edge.Dial(t, testbed.Way{})
		for i := range len(open) / 3 { // each takes a while: a gate is compiled for it
			line := open[3*i]
			method, target, _ := strings.Cut(line, " ")
			v := ask(t, proxy.Question{Listener: "public", Method: method, URL: target})
			client.Ask(t, line, "Content-Length: 0").HasStatus(v.Status)
		}
	})
}

func TestExplainSaysWhoIsUpInTheWordsOfARunningGate(t *testing.T) {
	t.Parallel()
	running := []pool.State{
		{Pool: "p", Backend: "127.0.0.1:8001", State: "down", Why: "3 checks failed: connect: connection refused", Weight: 1},
		{Pool: "p", Backend: "127.0.0.1:8002", State: "up", Why: "1 check passed", Weight: 2, Draining: true},
		{Pool: "other", Backend: "127.0.0.1:9999", State: "up", Weight: 1},
	}
	said := steps(ask(t, proxy.Question{Listener: "public", Method: "POST", URL: "/track", Running: running}))
	assert.Contains(t, said, "127.0.0.1:8001 (weight 1): down, 3 checks failed: connect: connection refused\n")
	assert.Contains(t, said, "127.0.0.1:8002 (weight 2): up, 1 check passed, draining\n")
	assert.Contains(t, said, "nobody takes work now: the answer would be 503 no_backend")
	assert.NotContains(t, said, "9999")

	running[1].Draining = false
	said = steps(ask(t, proxy.Question{Listener: "public", Method: "POST", URL: "/track", Running: running}))
	assert.NotContains(t, said, "503")

	said = steps(ask(t, proxy.Question{Listener: "public", Method: "POST", URL: "/track"}))
	assert.Contains(t, said, "no gate runs")
}
