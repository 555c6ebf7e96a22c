package proxy_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

var handshake = []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}

// echoes switches protocols and then says "welcome" and what it hears.
var echoes = []testbed.Act{testbed.Raw(switching + "welcome"), testbed.Echoes()}

func TestAWebsocketIsATunnelOnTheGUI(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	client := edge.Dial(t, testbed.Way{})
	client.Send(t, testbed.Head("GET /ws?x=1", handshake...)+"early")

	res := client.Answer(t, http.MethodGet).HasStatus(101).HasField("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").
		HasField("upgrade", "websocket").HasField("connection", "upgrade")
	require.NotNil(t, res)
	hears(t, client, "welcomeearly")
	for range 3 {
		client.Send(t, text(100_000))
		hears(t, client, text(100_000))
	}
	req := backend.Next(t)
	assert.Equal(t, "GET /ws?x=1 HTTP/1.1", req.Line)
	assert.Equal(t, []string{"websocket"}, req.Field("upgrade"))
	assert.Equal(t, []string{"upgrade"}, req.Field("connection"))
	assert.Equal(t, []string{"13"}, req.Field("sec-websocket-version"))

	client.Close()
	edge.NextLogLine(t).Has("status", 101).Has("reason", "ok").Has("bytes_out", 300_000+len("welcomeearly")).Has("path", "/ws")
	edge.Shows(t, `trackgate_connections{listener="public",protocol="HTTP/1.1"}`, 0)
}

// hears demands that exactly these bytes come next.
func hears(t *testing.T, client *testbed.Client, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(client.Reader(), got)
	require.NoError(t, err)
	assert.True(t, want == string(got), "%.100q", got)
}

func TestATunnelThatIsSilentEnds(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"), testbed.Section("timeouts: {keep_alive: 300ms}"))
	client := edge.Dial(t, testbed.Way{})
	client.Ask(t, "GET /ws", handshake...).HasStatus(101)
	hears(t, client, "welcome")
	start := time.Now()
	client.Silent(t)
	assert.Less(t, time.Since(start), 10*time.Second)
	edge.NextLogLine(t).Has("status", 101).Has("reason", "ok")
}

func TestATunnelEndsWithItsBackend(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Raw(switching+"bye"), testbed.ClosesAfter())
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	client := edge.Dial(t, testbed.Way{})
	client.Ask(t, "GET /ws", handshake...).HasStatus(101)
	hears(t, client, "bye")
	client.Silent(t)
}

func TestARefusedWebsocketIsAnAnswerLikeAnyOther(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Status(404), testbed.Says("no"))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	client := edge.Dial(t, testbed.Way{})
	for range 2 {
		client.Ask(t, "GET /ws", handshake...).HasStatus(404).HasBody("no").Stays()
	}
}

func TestThePublicGetsNoTunnel(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [tracker]"))
	client := edge.Dial(t, testbed.Way{})

	client.Ask(t, "GET /tracker/liliput.min.js", handshake...).IsEdge(502, "backend_malformed")

	req := backend.Next(t)
	assert.Empty(t, req.Field("upgrade"))
	assert.Empty(t, req.Field("connection"))
	edge.LastLogLine(t).Has("status", 502).Has("reason", "backend_malformed")
}
