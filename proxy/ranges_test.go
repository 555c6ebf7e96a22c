package proxy_test

import (
	"net"
	"strings"
	"testing"

	proxyproto "github.com/pires/go-proxyproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// guiFor is a gui listener for these clients.
func guiFor(clients string, more ...string) testbed.Option {
	return testbed.Listener(append([]string{"kind: gui", "clients: [" + clients + "]"}, more...)...)
}

func TestOnlyClientsOfTheRangesReachTheGUI(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for _, row := range []struct {
			clients, from string
			allowed       bool
		}{
			{"127.0.0.1", "127.0.0.1", true},
			{"127.0.0.1", "127.0.0.2", false},
			{"127.0.0.4/30", "127.0.0.7", true},
			{"127.0.0.4/30", "127.0.0.8", false},
			{`"::ffff:127.0.0.1"`, "127.0.0.1", true},
			{`"::ffff:127.0.0.0/126"`, "127.0.0.3", true},
			{`"::/0"`, "127.0.0.1", false},
			{`10.0.0.0/8, 127.0.0.9, "2001:db8::/32"`, "127.0.0.9", true},
		} {
			t.Run(strings.Trim(row.clients, `"`)+" from "+row.from, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t)
				edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor(row.clients))
				res := edge.AskBy(t, testbed.Way{From: row.from}, "GET /events", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1")
				if row.allowed {
					res.HasStatus(200)
					edge.LastLogLine(t).Has("client", row.from).Has("status", 200)
					return
				}
				res.IsEdge(403, "client_not_allowed").Stays()
				edge.LastLogLine(t).Has("client", row.from).Has("status", 403).Has("reason", "client_not_allowed").Has("attempts", 0)
				assert.Zero(t, backend.Heads())
			})
		}
	})
}

func TestIPv6ClientsReachTheGUIByTheirRange(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
			t.Skip("this machine has no IPv6 on loopback")
		} else {
			l.Close()
		}
		for clients, status := range map[string]int{`"::/64"`: 200, `"::1"`: 200, `"::2", 127.0.0.1`: 403} {
			backend := testbed.Backend(t)
			edge := p.Edge(t, testbed.YAML(`
listeners:
  - {name: gui, kind: gui, address: "[::1]:443", hosts: [track.test, "::1"], clients: [%s], pool: p}
pools:
  - {name: p, backends: ["http://%s"], health: {interval: 0}}
`, clients, backend.Addr))
			edge.Ask(t, "GET /events", "Host: [::1]:443").HasStatus(status)
			edge.LastLogLine(t).Has("client", "::1").Has("status", status)
		}
	})
}

func TestTrustedProxiesAreWalkedFromRightToLeft(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor(`203.0.113.0/24, "2001:db8::/32"`),
			testbed.Section("trusted_proxies: [127.0.0.1, 10.0.0.0/8]"))
		for _, row := range []struct {
			from, forwarded, client string
			status                  int
		}{
			{"127.0.0.1", "203.0.113.7", "203.0.113.7", 200},
			{"127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7", 200},
			{"127.0.0.1", "203.0.113.7, 198.51.100.1", "198.51.100.1", 403},
			{"127.0.0.1", "203.0.113.7, 10.1.1.1 , 10.2.2.2", "203.0.113.7", 200},
			{"127.0.0.1", "203.0.113.7\r\nX-Forwarded-For: 10.1.1.1", "203.0.113.7", 200},
			{"127.0.0.1", "203.0.113.7\r\nX-Forwarded-For: 198.51.100.1", "198.51.100.1", 403},
			{"127.0.0.1", "2001:db8::7", "2001:db8::7", 200},
			{"127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7", 200},
			{"127.0.0.2", "203.0.113.7", "127.0.0.2", 403},
		} {
			res := edge.AskBy(t, testbed.Way{From: row.from}, "GET /events", "X-Forwarded-For: "+row.forwarded)
			res.HasStatus(row.status)
			edge.NextLogLine(t).Has("client", row.client).Has("status", row.status)
			if row.status == 200 {
				assert.Equal(t, []string{row.client}, backend.Next(t).Field("x-forwarded-for"), "exactly one bare address")
			}
		}
	})
}

func TestADroppedClientGetsNotOneByte(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1", "deny: drop"),
		testbed.Section("timeouts: {handshake: 60s}"))

	stranger := edge.Dial(t, testbed.Way{Plain: true, From: "127.0.0.2"})
	stranger.Silent(t)

	edge.Ask(t, "GET /events").HasStatus(200)
	edge.NextLogLine(t).Has("client", "127.0.0.1")
	assert.Equal(t, 1, backend.Heads())
}

func TestADroppedClientOfASharedAddressGetsNoAnswer(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:443", hosts: [track.test], pool: p}
  - {name: gui, kind: gui, address: "127.0.0.1:443", hosts: [gui.test], clients: [127.0.0.1], deny: drop, pool: p}
pools:
  - {name: p, backends: ["http://%s"], health: {interval: 0}}
`, backend.Addr))

		stranger := edge.Dial(t, testbed.Way{Name: "gui.test", From: "127.0.0.2"})
		stranger.Send(t, testbed.Head("GET /events", "Host: gui.test"))
		stranger.Closed(t)
		edge.NextLogLine(t).Has("listener", "gui").Has("client", "127.0.0.2").Has("status", 403).Has("reason", "client_not_allowed").Has("bytes_out", 0)

		edge.AskBy(t, testbed.Way{From: "127.0.0.2"}, "POST /track").HasStatus(200)
		edge.Shows(t, `trackgate_requests_total{listener="gui",reason="client_not_allowed",status_class="none"}`, 1)
	})
}

func TestATrustedProxyIsNotDroppedBeforeItSaysWhoAsks(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("203.0.113.7", "deny: drop"), testbed.Section("trusted_proxies: [127.0.0.1]"))
		edge.Ask(t, "GET /events", "X-Forwarded-For: 203.0.113.7").HasStatus(200)
		edge.LastLogLine(t).Has("client", "203.0.113.7")
	})
}

// versionTwo is a PROXY header of version 2.
func versionTwo(t *testing.T, h proxyproto.Header) string {
	t.Helper()
	h.Version = 2
	raw, err := h.Format()
	require.NoError(t, err)
	return string(raw)
}

func tcp(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }

func TestANamedSenderSaysWhoTheClientIs(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor(`203.0.113.7, 127.0.0.1, "2001:db8::7"`, "proxy_protocol: [127.0.0.1]"))
		for _, row := range []struct {
			header, client string
			status         int
		}{
			{"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n", "203.0.113.7", 200},
			{"PROXY TCP4 198.51.100.1 192.0.2.1 5000 443\r\n", "198.51.100.1", 403},
			{"PROXY TCP6 2001:db8::7 2001:db8::1 5000 443\r\n", "2001:db8::7", 200},
			{"PROXY UNKNOWN\r\n", "127.0.0.1", 200},
			{versionTwo(t, proxyproto.Header{Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv4,
				SourceAddr: tcp("203.0.113.7", 1), DestinationAddr: tcp("192.0.2.1", 2)}), "203.0.113.7", 200},
			{versionTwo(t, proxyproto.Header{Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv6,
				SourceAddr: tcp("2001:db8::7", 1), DestinationAddr: tcp("2001:db8::1", 2)}), "2001:db8::7", 200},
			{versionTwo(t, proxyproto.Header{Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}), "127.0.0.1", 200},
		} {
			edge.AskBy(t, testbed.Way{Before: row.header}, "GET /events").HasStatus(row.status)
			edge.NextLogLine(t).Has("client", row.client).Has("status", row.status)
			if row.status == 200 {
				assert.Equal(t, []string{row.client}, backend.Next(t).Field("x-forwarded-for"))
			}
		}
	})
}

func TestWhatStandsBehindAPROXYHeaderIsNotLost(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("tls: off", "proxy_protocol: [127.0.0.0/8]"))
	head := "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n" + testbed.Head("POST /track", "Content-Length: 2000")
	client := edge.Dial(t, testbed.Way{Plain: true, Before: head + strings.Repeat("x", 2000)})
	client.Answer(t, "POST").HasStatus(200)
	assert.Equal(t, strings.Repeat("x", 2000), backend.Next(t).Body)
	client.Post(t, "/track", event).HasStatus(200)
}

func TestAConnectionWithoutAProperPROXYHeaderIsClosed(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("tls: off", "proxy_protocol: [127.0.0.1]"),
		testbed.Section("timeouts: {handshake: 300ms}"))
	good := "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n" + testbed.Head("POST /track")
	for name, way := range map[string]testbed.Way{
		"not a sender":   {From: "127.0.0.2", Before: good},
		"no header":      {Before: testbed.Head("POST /track")},
		"broken":         {Before: "PROXY TCP4 203.0.113.7\r\n" + testbed.Head("POST /track")},
		"bad address":    {Before: "PROXY TCP4 203.0.113.777 192.0.2.1 1 2\r\n" + testbed.Head("POST /track")},
		"too long":       {Before: "PROXY TCP4 " + strings.Repeat("1", 600) + "\r\n"},
		"too long, v2":   {Before: "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff" + strings.Repeat("x", 600)},
		"datagrams, v2":  {Before: "\r\n\r\n\x00\r\nQUIT\n\x21\x12\x00\x0c\x01\x01\x01\x01\x02\x02\x02\x02\x00\x01\x00\x02"},
		"slow":           {Before: "PROXY TCP4 203"},
		"says nothing":   {},
		"slow, binary":   {Before: "\r\n\r\n\x00\r\nQUIT\n\x21\x11"},
		"cut after name": {Before: "PROXY "},
	} {
		t.Run(name, func(t *testing.T) {
			way.Plain = true
			client, err := edge.TryDial(t, way)
			if err == nil {
				client.Silent(t)
			}
		})
	}
	assert.Zero(t, backend.Heads())
	edge.NoLogLine(t)
	assert.EqualValues(t, 1, refusals(t, edge, "proxy_sender"))
	assert.EqualValues(t, 10, refusals(t, edge, "proxy_header"))
}
