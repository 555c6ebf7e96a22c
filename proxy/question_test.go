package proxy_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy"
)

const addressed = `
listeners:
  - {name: public, kind: public, address: ":443", hosts: [track.test, "10.0.0.1"], pool: p}
  - {name: gui, kind: gui, address: ":443", hosts: ["*.gui.test"], clients: [10.0.0.0/8], pool: p, deny: drop}
  - {name: inside, kind: gui, address: "10.0.0.2:8443", hosts: [same.test], clients: [10.0.0.0/8], pool: p, deny: drop}
  - {name: outside, kind: public, address: "10.0.0.3:8443", hosts: [same.test, other.test], pool: p, base_path: /api, allow: [uix, {methods: [PUT], path: /x/*}]}
  - {name: mesh, kind: public, address: ":8080", hosts: [mesh.test], tls: off, pool: p}
  - {name: second, kind: public, address: ":8080", hosts: [second.test], tls: off, pool: p}
  - {name: plain, kind: redirect, address: ":80"}
pools:
  - {name: p, backends: ["http://127.0.0.1:8001"]}
tls: {issuer: internal, storage: /nowhere}
trusted_proxies: [192.0.2.0/24]
`

func askAddressed(t *testing.T, q proxy.Question) (*proxy.Verdict, error) {
	t.Helper()
	settings, err := configs.Parse("test.yaml", []byte(addressed), nil)
	require.NoError(t, err)
	if !q.From.IsValid() {
		q.From = netip.MustParseAddr("203.0.113.7")
	}
	return proxy.Explain(settings, q)
}

func TestTheListenerIsFoundByHostAndPort(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ sni, url, listener, reason string }{
		{"", "https://track.test/track", "public", "ok"},
		{"", "https://TRACK.test:443/track", "public", "ok"},
		{"", "https://10.0.0.1/track", "public", "ok"},
		{"", "https://a.gui.test/track", "gui", "client_not_allowed"},
		{"", "https://nobody.test/track", "", "wrong_host"},
		{"", "https://gui.test/track", "", "wrong_host"},
		{"track.test", "https://a.gui.test/track", "public", "wrong_host"},
		{"a.gui.test", "https://track.test/track", "gui", "wrong_host"},
		{"track.test", "https://10.0.0.1/track", "public", "ok"},
		{"", "https://other.test:8443/api/x/y", "outside", "method_not_exposed"},
		{"", "http://mesh.test:8080/track", "mesh", "ok"},
		{"", "http://second.test:8080/track", "second", "ok"},
		{"", "http://nobody.test:8080/track", "", "wrong_host"},
		{"", "http://track.test/track", "plain", "method_not_exposed"},
	} {
		v, err := askAddressed(t, proxy.Question{SNI: row.sni, Method: "POST", URL: row.url})
		require.NoError(t, err, row.url)
		assert.Equal(t, row.listener, v.Listener, "%+v", row)
		assert.Equal(t, row.reason, v.Reason, "%+v", row)
	}
}

// On plain HTTP nothing is chosen before the request, so its host decides.
func TestOnPlainHTTPTheHostDecides(t *testing.T) {
	t.Parallel()
	v, err := askAddressed(t, proxy.Question{Listener: "mesh", Method: "POST", URL: "http://second.test:8080/track"})
	require.NoError(t, err)
	assert.Equal(t, "ok", v.Reason)
	assert.Equal(t, "second", v.Listener)
}

func TestQuestionsThatDoNotTell(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		q    proxy.Question
		said string
	}{
		{proxy.Question{URL: "/track"}, `URL "/track": wanted one like https://track.example.com/track, or the name of the listener besides`},
		{proxy.Question{URL: "https://a b/track"}, `URL "https://a b/track": wanted one like`},
		{proxy.Question{URL: "https://track.test:9/track"}, "no listener takes https on port 9: wanted another port, or the name of the listener besides (public, gui, "},
		{proxy.Question{URL: "http://track.test:443/track"}, "no listener takes http on port 443"},
		{proxy.Question{URL: "https://same.test:8443/track"}, "listeners inside and outside have this host and port on different addresses"},
		{proxy.Question{SNI: "x", URL: "http://mesh.test:8080/"}, "a TLS name (x) and http://mesh.test:8080/: wanted a URL with https"},
		{proxy.Question{Listener: "public", SNI: "x", URL: "/"}, "a listener (public) and a TLS name (x): wanted one of them"},
	} {
		row.q.Method = "GET"
		_, err := askAddressed(t, row.q)
		require.ErrorContains(t, err, row.said)
	}
}

func TestWhoIsBelieved(t *testing.T) {
	t.Parallel()
	proxied := netip.MustParseAddr("192.0.2.1")
	for _, row := range []struct {
		from      netip.Addr
		forwarded []string
		client    string
		reason    string
		said      string
	}{
		{proxied, []string{"10.9.9.9"}, "10.9.9.9", "ok", "the client is 10.9.9.9, the last that is not in trusted_proxies"},
		{proxied, []string{"1.1.1.1, 10.9.9.9", "192.0.2.2"}, "10.9.9.9", "ok", "(1.1.1.1, 10.9.9.9, 192.0.2.2)"},
		{proxied, []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9", "client_not_allowed", "the client is 203.0.113.9"},
		{proxied, []string{"10.9.9.9, what"}, "192.0.2.1", "client_not_allowed", "nobody who is no proxy can be read"},
		{proxied, nil, "192.0.2.1", "client_not_allowed", "the client is whom it names"},
		{netip.MustParseAddr("203.0.113.7"), []string{"10.9.9.9"}, "203.0.113.7", "client_not_allowed", "is not believed"},
		{netip.MustParseAddr("10.1.1.1"), []string{"10.9.9.9"}, "10.1.1.1", "ok", "X-Forwarded-For (10.9.9.9) is not believed: 10.1.1.1 is not in trusted_proxies"},
		{netip.MustParseAddr("10.1.1.1"), nil, "10.1.1.1", "ok", "10.1.1.1 is in the clients of listener gui (10.0.0.0/8)"},
	} {
		v, err := askAddressed(t, proxy.Question{From: row.from, ForwardedFor: row.forwarded, Method: "GET", URL: "https://a.gui.test/"})
		require.NoError(t, err)
		assert.Equal(t, row.reason, v.Reason, "%+v", row)
		assert.Equal(t, row.client, v.Client, "%+v", row)
		assert.Contains(t, steps(v), row.said, "%+v", row)
	}
}

// Where all listeners of an address drop strangers, nobody shakes hands with them.
func TestTheStepThatDecidedIsNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		q       proxy.Question
		decided string
		route   string
	}{
		{proxy.Question{Listener: "inside", Method: "GET", URL: "/"}, "accept", ""},
		{proxy.Question{URL: "https://a.gui.test/", Method: "GET"}, "admit", ""},
		{proxy.Question{URL: "https://track.test/a b", Method: "GET"}, "read", ""},
		{proxy.Question{URL: "https://track.test/track", Method: "GET"}, "match", ""},
		{proxy.Question{URL: "https://track.test/track", Method: "POST"}, "match", "preset track: POST /track"},
		{proxy.Question{URL: "https://track.test/track", Method: "OPTIONS"}, "match", "preset track: POST /track"},
		{proxy.Question{URL: "https://other.test:8443/api/x/y", Method: "PUT"}, "match", "PUT /x/*"},
		{proxy.Question{URL: "https://other.test:8443/api/uix/y", Method: "GET"}, "match", "preset uix: GET,HEAD /uix/*"},
		{proxy.Question{URL: "https://a.gui.test/", From: netip.MustParseAddr("10.0.0.9"), Method: "GET"}, "match", "everything (kind gui)"},
	} {
		v, err := askAddressed(t, row.q)
		require.NoError(t, err)
		assert.Equal(t, row.decided, v.DecidedBy.Step, "%+v", row.q)
		assert.NotEmpty(t, v.DecidedBy.Result)
		assert.Equal(t, row.route, v.Route, "%+v", row.q)
	}
}
