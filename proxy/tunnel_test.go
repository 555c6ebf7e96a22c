package proxy_test

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

var handshake = []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}

// switches accepts a websocket (RFC 6455 section 4.2.2) and then says first.
func switches(first string) testbed.Act {
	return testbed.By(func(r testbed.Request) string {
		sum := sha1.Sum([]byte(strings.Join(r.Field("sec-websocket-key"), "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		return "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: " +
			base64.StdEncoding.EncodeToString(sum[:]) + "\r\nsec-websocket-protocol: chat\r\n\r\n" + first
	})
}

// echoes switches protocols and then says "welcome" and what it hears.
var echoes = []testbed.Act{switches("welcome"), testbed.Echoes()}

func TestAWebsocketIsATunnelOnTheGUI(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, echoes...)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("GET /ws?x=1", handshake...)+"early")

		res := client.Answer(t, http.MethodGet).HasStatus(p.Switched()).HasField("sec-websocket-protocol", "chat")
		if p == testbed.HTTP1 {
			res.HasField("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").HasField("upgrade", "websocket").HasField("connection", "upgrade")
		} else {
			res.Lacks("sec-websocket-accept", "upgrade", "connection", "content-length")
		}
		client.Hears(t, "welcomeearly")
		for range 3 {
			client.Send(t, text(100_000))
			client.Hears(t, text(100_000))
		}
		req := backend.Next(t)
		assert.Equal(t, "GET /ws?x=1 HTTP/1.1", req.Line)
		assert.Equal(t, []string{"websocket"}, req.Field("upgrade"))
		assert.Equal(t, []string{"upgrade"}, req.Field("connection"))
		assert.Equal(t, []string{"13"}, req.Field("sec-websocket-version"))

		client.Close()
		edge.NextLogLine(t).Has("status", 101).Has("reason", "ok").Has("bytes_out", 300_000+len("welcomeearly")).Has("path", "/ws")
		edge.Shows(t, p.Connections(), 0)
	})
}

func TestATunnelThatIsSilentEnds(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, echoes...)
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"), testbed.Section("timeouts: {keep_alive: 300ms}"))
		client := edge.Dial(t, testbed.Way{})
		client.Ask(t, "GET /ws", handshake...).HasStatus(p.Switched())
		client.Hears(t, "welcome")
		start := time.Now()
		client.Closed(t)
		assert.Less(t, time.Since(start), 10*time.Second)
		edge.NextLogLine(t).Has("status", 101).Has("reason", "ok")
	})
}

func TestATunnelEndsWithItsBackend(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, switches("bye"), testbed.ClosesAfter())
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
		client := edge.Dial(t, testbed.Way{})
		client.Ask(t, "GET /ws", handshake...).HasStatus(p.Switched())
		client.Hears(t, "bye")
		client.Closed(t)
	})
}

func TestARefusedWebsocketIsAnAnswerLikeAnyOther(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Status(404), testbed.Says("no"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
		client := edge.Dial(t, testbed.Way{})
		for range 2 {
			client.Ask(t, "GET /ws", handshake...).HasStatus(404).HasBody("no").Stays()
		}
	})
}

func TestThePublicGetsNoTunnel(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	edge := testbed.HTTP1.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [tracker]"))
	client := edge.Dial(t, testbed.Way{})

	client.Ask(t, "GET /tracker/liliput.min.js", handshake...).IsEdge(502, "backend_malformed")

	req := backend.Next(t)
	assert.Empty(t, req.Field("upgrade"))
	assert.Empty(t, req.Field("connection"))
	edge.LastLogLine(t).Has("status", 502).Has("reason", "backend_malformed")
}

// HEADERS behind the request for a websocket are no trailers: the backend would take them
// for a request.
func TestNothingFollowsAnUpgradeThatIsHTTP(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Status(404))
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	frames := edge.Frames(t, testbed.Way{})
	for range 5 { // both frames may or may not be read before the request is sent on
		s := frames.Open(t, false, ":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /ws", ":authority: "+testbed.Host)
		s.Trailers(t, "x-sum: 1")
		frames.Settle(t)
		assert.True(t, s.Over())
	}
	frames.Event(t, "/", event).Answer(t).HasStatus(404)
	for line := ""; line != "POST / HTTP/1.1"; line = backend.Next(t).Line {
		assert.Contains(t, []string{"", "GET /ws HTTP/1.1"}, line)
	}
}
