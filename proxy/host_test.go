package proxy_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// twoListeners share an address: a public one and a GUI.
const twoListeners = `
listeners:
  - {name: public, kind: public, address: "127.0.0.1:443", hosts: [track.test, "*.many.test"], pool: collectors}
  - {name: gui, kind: gui, address: "127.0.0.1:443", hosts: [gui.test, 127.0.0.1], clients: [127.0.0.1], pool: gui}
pools:
  - {name: collectors, backends: ["http://%s"], health: {interval: 0}}
  - {name: gui, backends: ["http://%s"], health: {interval: 0}}
`

// neighbours is a gate with twoListeners and their backends.
func neighbours(t *testing.T, p testbed.Protocol) (edge *testbed.Gate, collector, gui *testbed.Actor) {
	t.Helper()
	collector, gui = testbed.Backend(t, testbed.Says("collector")), testbed.Backend(t, testbed.Says("gui"))
	return p.Edge(t, testbed.YAML(twoListeners, collector.Addr, gui.Addr)), collector, gui
}

func TestTheNameChoosesTheListener(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge, _, _ := neighbours(t, p)
		for _, row := range []struct{ name, host, line, body, listener string }{
			{"track.test", "track.test", "POST /track", "collector", "public"},
			{"TRACK.test", "Track.TEST:8443", "POST /track", "collector", "public"},
			{"a.many.test", "b.many.test", "POST /track", "collector", "public"},
			{"gui.test", "gui.test", "GET /docs", "gui", "gui"},
			{"-", "127.0.0.1", "GET /docs", "gui", "gui"},
			{"-", "gui.test", "GET /docs", "gui", "gui"},
		} {
			edge.AskBy(t, testbed.Way{Name: row.name}, row.line, "Host: "+row.host).HasStatus(200).HasBody(row.body)
			edge.NextLogLine(t).Has("listener", row.listener).Has("host", row.host)
		}
	})
}

func TestARequestForAnotherListenerThanTheNameChoseIs421(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge, collector, gui := neighbours(t, p)
		for _, row := range []struct{ name, host string }{
			{"track.test", "gui.test"}, {"gui.test", "track.test"}, {"track.test", "127.0.0.1"}, {"-", "track.test"},
			{"track.test", "other.test"}, {"track.test", "a.b.many.test"}, {"track.test", "many.test"}, {"track.test", "track.test."},
			{"track.test", "xtrack.test"}, {"gui.test", "[::1]"}, {"gui.test", "127.0.0.2"},
		} {
			client := edge.Dial(t, testbed.Way{Name: row.name})
			client.Ask(t, "POST /track", "Host: "+row.host, "Content-Length: 0").IsEdge(421, "wrong_host").Stays()
			edge.NextLogLine(t).Has("status", 421).Has("reason", "wrong_host").Has("host", row.host).Has("attempts", 0)
		}
		assert.Zero(t, collector.Heads()+gui.Heads())
	})
}

func TestEachRequestOfAConnectionIsHeldAgainstItsListener(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge, collector, gui := neighbours(t, p)
		client := edge.Dial(t, testbed.Way{})
		for range 2 {
			client.Ask(t, "POST /track", "Host: track.test").HasStatus(200)
			client.Ask(t, "POST /track", "Host: gui.test").IsEdge(421, "wrong_host")
			client.Ask(t, "POST /track", "Host: x.many.test").HasStatus(200)
		}
		client.Send(t, testbed.Head("POST https://gui.test/track", "Host: track.test"))
		client.Answer(t, "POST").IsEdge(400, "malformed").Closes()
		assert.Equal(t, 4, collector.Heads())
		assert.Zero(t, gui.Heads())
	})
}

func TestANameThatNobodyConfiguredGetsNoHandshake(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("hosts: [track.test]"))
		for _, name := range []string{"other.test", "www.track.test", "-"} {
			_, err := edge.TryDial(t, testbed.Way{Name: name})
			require.ErrorContains(t, err, "unrecognized name", name)
		}
		edge.Shows(t, `trackgate_handshakes_total{listener="public",result="failed"}`, 3)
		edge.Shows(t, p.Connections(), 0)
		edge.NoLogLine(t)
	})
}

func TestTLS12IsSpokenStill(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		edge.AskBy(t, testbed.Way{TLS: &tls.Config{MaxVersion: tls.VersionTLS12}}, "POST /track").HasStatus(200)
		edge.LastLogLine(t).Has("tls", "1.2")
	})
}

func TestASessionIsTakenUpOnItsListenerOnly(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		edge, _, _ := neighbours(t, p)
		config := &tls.Config{ClientSessionCache: sameForAll{tls.NewLRUClientSessionCache(1)}}
		for _, row := range []struct {
			name    string
			resumed bool
		}{{"track.test", false}, {"track.test", true}, {"gui.test", false}} {
			client := edge.Dial(t, testbed.Way{Name: row.name, TLS: config})
			client.Ask(t, "POST /track", "Host: "+row.name).HasStatus(200) // the ticket comes with it
			assert.Equal(t, row.resumed, client.Conn.(*tls.Conn).ConnectionState().DidResume, row.name)
		}
		edge.Shows(t, `trackgate_handshakes_total{listener="public",result="resumed"}`, 1)
	})
}

// sameForAll offers the last session to every server.
type sameForAll struct{ tls.ClientSessionCache }

func (s sameForAll) Get(string) (*tls.ClientSessionState, bool) { return s.ClientSessionCache.Get("") }

func (s sameForAll) Put(_ string, state *tls.ClientSessionState) { s.ClientSessionCache.Put("", state) }

func TestPlainHTTPChoosesByHost(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.YAML(`
listeners:
  - {name: one, kind: public, address: "127.0.0.1:80", tls: off, hosts: [one.test], pool: p}
  - {name: two, kind: gui, address: "127.0.0.1:80", tls: off, hosts: [two.test], clients: [127.0.0.1], pool: p}
pools:
  - {name: p, backends: ["http://%s"], health: {interval: 0}}
`, backend.Addr))
	client := edge.Dial(t, testbed.Way{Plain: true})

	client.Ask(t, "POST /track", "Host: one.test").HasStatus(200)
	edge.NextLogLine(t).Has("listener", "one").Has("tls", "").Has("status", 200)
	client.Ask(t, "GET /docs", "Host: two.test").HasStatus(200)
	edge.NextLogLine(t).Has("listener", "two")
	client.Ask(t, "GET /docs", "Host: three.test").IsEdge(421, "wrong_host")

	for range 2 {
		assert.Equal(t, []string{"http"}, backend.Next(t).Field("x-forwarded-proto"))
	}
}

func TestARedirectListenerSendsGetsToHTTPS(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:8443", hosts: [track.test], pool: p}
  - {name: plain, kind: redirect, address: "127.0.0.1:80"}
pools:
  - {name: p, backends: ["http://%s"], health: {interval: 0}}
`, backend.Addr))
	client := edge.Dial(t, testbed.Way{Listener: 1, Plain: true})
	for _, row := range []struct{ line, host, location string }{
		// Port 0: the testbed lets the system choose the real one.
		{"GET /a/b?c=%20d", "track.test", "https://track.test:0/a/b?c=%20d"},
		{"HEAD /", "TRACK.test:80", "https://track.test:0/"},
		{"GET http://track.test/x", "track.test", "https://track.test:0/x"},
		{"GET //evil.test/", "track.test", "https://track.test:0//evil.test/"},
	} {
		client.Ask(t, row.line, "Host: "+row.host).HasStatus(301).HasBody("").HasField("location", row.location).Stays()
		edge.NextLogLine(t).Has("listener", "plain").Has("status", 301).Has("reason", "ok")
	}
	for _, line := range []string{"POST /track", "PUT /", "OPTIONS /track", "OPTIONS *"} {
		client.Ask(t, line, "Host: track.test", "Content-Length: 0").IsEdge(405, "method_not_exposed").
			Lacks("location").HasField("allow", "GET, HEAD")
	}
	for _, host := range []string{"evil.test", "127.0.0.1", "track.test.", "track.test.evil.test"} {
		client.Ask(t, "GET /", "Host: "+host).IsEdge(421, "wrong_host").Lacks("location")
	}
	assert.Zero(t, backend.Heads())
}

func TestPlainBytesOnATLSListenerGetNowhere(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr))
	client := edge.Dial(t, testbed.Way{Plain: true, Before: testbed.Head("POST /track")})
	client.Silent(t)
	assert.Zero(t, backend.Heads())
}
