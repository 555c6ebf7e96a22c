package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/testbed"
)

// post is the head of an event over HTTP/2; its body follows.
var post = []string{":method: POST", ":scheme: https", ":path: /track", ":authority: " + testbed.Host}

// paced is a backend that answers an event when the channel of its number is closed,
// with that number, or when the test is over.
func paced(t *testing.T, count int) (*testbed.Actor, []chan struct{}) {
	t.Helper()
	over, ready := make(chan struct{}), make([]chan struct{}, count)
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	backend := testbed.Backend(t, testbed.By(func(r testbed.Request) string {
		n, _ := strconv.Atoi(r.Body) // all are numbers
		select {
		case <-ready[n]:
		case <-over:
		}
		return "HTTP/1.1 200 OK\r\ncontent-length: " + strconv.Itoa(len(r.Body)) + "\r\n\r\n" + r.Body
	}))
	t.Cleanup(func() { close(over) })
	return backend, ready
}

func TestStreamsAreAnsweredInAnyOrder(t *testing.T) {
	t.Parallel()
	const count = 50
	backend, ready := paced(t, count)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	frames := edge.Frames(t, testbed.Way{})
	streams := make([]*testbed.Stream, count)
	for i := range streams {
		streams[i] = frames.Event(t, "/track", strconv.Itoa(i))
	}
	require.Eventually(t, func() bool { return backend.Heads() == count }, testbed.Patience, tick, "all at once")
	for i := range streams {
		n := (i*7 + 3) % count
		close(ready[n])
		streams[n].Answer(t).HasStatus(200).HasBody(strconv.Itoa(n)).Stays()
	}
	assert.EqualValues(t, 1, edge.Metric(t, testbed.HTTP2.Connections()))
}

// Pages reset what they have sent when they are left.
func TestAnEventThatCameWholeIsDeliveredAlthoughItsStreamIsReset(t *testing.T) {
	t.Parallel()
	backend, ready := paced(t, 2)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	frames := edge.Frames(t, testbed.Way{})
	waiting := frames.Event(t, "/track", "0")
	backend.Next(t)
	waiting.Reset(t, http2.ErrCodeCancel)
	frames.Event(t, "/track", "1").Reset(t, http2.ErrCodeCancel) // together with it, perhaps
	assert.Equal(t, "1", backend.Next(t).Body)
	frames.Settle(t)
	close(ready[0])
	close(ready[1])
	for range 2 {
		edge.NextLogLine(t).Has("status", 200).Has("reason", "client_closed").Has("attempts", 1).Has("bytes_in", 1)
	}
	assert.Equal(t, 2, backend.Heads(), "each once")
	frames.Event(t, "/docs", "").Answer(t).IsEdge(404, "not_exposed").Stays()
}

func TestAnEventThatIsResetBeforeItsEndReachesNobody(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	frames := edge.Frames(t, testbed.Way{})
	for _, length := range []string{"content-length: 10", "x-length: unknown"} {
		s := frames.Open(t, false, append(post, length)...)
		s.Data(t, "half", false)
		s.Reset(t, http2.ErrCodeCancel)
		edge.NextLogLine(t).Has("status", 499).Has("reason", "client_closed").Has("attempts", 0)
	}
	assert.Zero(t, backend.Heads())
}

func TestABodyMustBeAsLongAsItSays(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	frames := edge.Frames(t, testbed.Way{})
	for name, row := range map[string]struct {
		length   string
		body     string
		attempts int
	}{
		"less":           {"content-length: 5", "half", 0},
		"more":           {"content-length: 3", "half", 0},
		"nothing":        {"content-length: 3", "", 0},
		"less, streamed": {"content-length: 100000", text(99_000), 1},
		"more, streamed": {"content-length: 100000", text(101_000), 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := frames.Open(t, false, append(post, row.length)...)
			s.Data(t, row.body, true)
			s.Answer(t).IsEdge(400, "malformed").IsReset(http2.ErrCodeProtocol).Stays()
			edge.NextLogLine(t).Has("status", 400).Has("reason", "malformed").Has("attempts", row.attempts)
			if row.attempts > 0 {
				assert.False(t, backend.Next(t).Whole, "what reached the backend must not look whole")
			}
		})
	}
}

// A client that is answered before it has sent all is told that the rest is not
// wanted, and its answer is not lost.
func TestAnAnswerToARequestThatGoesOnIsNotFollowedByAnError(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("limits: {body: 1KiB}"),
		testbed.Section("timeouts: {body: 150ms}"))
	frames := edge.Frames(t, testbed.Way{})
	for reason, row := range map[string]struct {
		part   string
		status int
	}{
		"body_too_large":  {text(2000), 413},
		"client_too_slow": {"half", 408},
	} {
		s := frames.Open(t, false, post...)
		s.Data(t, row.part, false)
		s.Answer(t).IsEdge(row.status, reason).IsReset(http2.ErrCodeNo).Stays()
		frames.Write(t, func(w *http2.Framer) error { return w.WriteData(s.ID, true, []byte("the rest")) })
		frames.Event(t, "/track", event).Answer(t).HasStatus(200).Stays()
	}
}

func TestCrumbsOfACookieAreJoined(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		kind []string
		want []string
	}{
		"public": {nil, nil},
		"gui":    {[]string{"kind: gui", "clients: [127.0.0.1]"}, []string{"a=b; c=d; e=f"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := testbed.Backend(t)
			edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Listener(row.kind...))
			edge.Ask(t, "POST /track", "Cookie: a=b", "X-Other: 1", "Cookie: c=d", "Cookie: e=f").HasStatus(200)
			assert.Equal(t, row.want, backend.Next(t).Field("cookie"))
		})
	}
}

func TestWithoutHTTP2InTheSettingsNobodySpeaksIt(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("http2: false"))
	_, err := edge.TryDial(t, testbed.Way{Protocol: testbed.HTTP2})
	assert.EqualError(t, err, `the gate speaks "http/1.1"`)
	edge.Post(t, "/track", event).HasStatus(200)
	edge.LastLogLine(t).Has("protocol", "HTTP/1.1")
}

func TestStreamsAreCounted(t *testing.T) {
	t.Parallel()
	backend, ready := paced(t, 4)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("limits: {streams: 3}"))
	frames := edge.Frames(t, testbed.Way{})
	var streams []*testbed.Stream
	for i := range 3 {
		streams = append(streams, frames.Event(t, "/track", strconv.Itoa(i)))
	}
	frames.Event(t, "/track", "3").Answer(t).IsReset(http2.ErrCodeRefusedStream)
	assert.EqualValues(t, 3, frames.Settings[http2.SettingMaxConcurrentStreams])
	for _, open := range ready {
		close(open)
	}
	for _, s := range streams {
		s.Answer(t).HasStatus(200)
	}
	frames.Event(t, "/track", "3").Answer(t).HasStatus(200).Stays()
}

// A stream that was reset counts until the work for it has ended (CVE-2023-44487).
func TestAResetMakesNoRoomForAnotherStream(t *testing.T) {
	t.Parallel()
	backend, ready := paced(t, 1)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("limits: {streams: 1}"))
	frames := edge.Frames(t, testbed.Way{})
	frames.Event(t, "/track", "0").Reset(t, http2.ErrCodeCancel)
	frames.Event(t, "/track", "0").Answer(t).IsReset(http2.ErrCodeRefusedStream)
	close(ready[0])
	edge.NextLogLine(t).Has("reason", "client_closed")
	require.Eventually(t, func() bool { return frames.Event(t, "/track", "0").Answer(t).Status == 200 }, testbed.Patience, tick)
}

// A client that shuts its window gets its stream reset, and holds no backend.
func TestAClosedWindowHoldsNoBackend(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Says(text(200_000)))
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("max_connections: 1"),
		testbed.Section("timeouts: {write: 300ms}", "limits: {body_rate: 0}"))
	frames := edge.Frames(t, testbed.Way{Window: 1000})
	s := frames.Event(t, "/track", event)
	s.Head(t).HasStatus(200)
	s.Got(t, 1000)
	s.Answer(t).IsCut().IsReset(http2.ErrCodeEnhanceYourCalm).Stays()
	edge.NextLogLine(t).Has("status", 200).Has("reason", "client_too_slow").Has("backend", backend.Addr)

	frames.Write(t, func(w *http2.Framer) error {
		return w.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	})
	frames.Event(t, "/track", event).Answer(t).HasStatus(200).HasBody(text(200_000))
}

// drowsy is the address of a backend that does not read large bodies, and answers all
// others.
func drowsy(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for nc, err := l.Accept(); err == nil; nc, err = l.Accept() {
			t.Cleanup(func() { nc.Close() })
			go serveDrowsily(nc)
		}
	}()
	return l.Addr().String()
}

func serveDrowsily(nc net.Conn) {
	r := bufio.NewReader(nc)
	for {
		req, err := http.ReadRequest(r)
		if err != nil || req.ContentLength > 1<<20 {
			return
		}
		io.Copy(io.Discard, req.Body)                                      //nolint:errcheck // the write fails as well
		io.WriteString(nc, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") //nolint:errcheck // the gate may be gone
	}
}

// What a slow backend does not take stays with the client, and other streams of the
// connection go on.
func TestASlowBackendSlowsItsClientDownAndNobodyElse(t *testing.T) {
	t.Parallel()
	const size = 256 << 20 // more than any socket holds
	edge := testbed.HTTP2.Edge(t, testbed.Pool(drowsy(t)), testbed.Listener("limits: {body: 1GiB}"), testbed.LogUnread())
	frames := edge.Frames(t, testbed.Way{})
	upload := frames.Open(t, false, append(post, "content-length: "+strconv.Itoa(size))...)
	part, sent := strings.Repeat("x", 16<<10), 0
	for quiet := 0; quiet < 50; quiet++ {
		frames.Event(t, "/track", event).Answer(t).HasStatus(200).Stays()
		for ; upload.Room() >= int64(len(part)); quiet = 0 {
			upload.Data(t, part, false)
			sent += len(part)
			require.Less(t, sent, size/2, "the gate takes whatever comes")
		}
	}
	assert.Positive(t, sent)
}

func TestTheGUIOffersWebsocketsAndThePublicGetsNone(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	for name, row := range map[string]struct {
		kind    []string
		offered uint32
	}{
		"public": {[]string{"allow: [tracker]"}, 0},
		"gui":    {[]string{"kind: gui", "clients: [127.0.0.1]"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Listener(row.kind...))
			frames := edge.Frames(t, testbed.Way{})
			s := frames.Open(t, false, ":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /tracker/liliput.min.js",
				":authority: "+testbed.Host, "sec-websocket-version: 13")
			if row.offered == 0 {
				s.Answer(t).IsEdge(400, "malformed").IsReset(http2.ErrCodeProtocol).Stays()
				edge.LastLogLine(t).Has("status", 400).Has("reason", "malformed").Has("attempts", 0)
			} else {
				s.Head(t).HasStatus(200)
			}
			assert.Equal(t, row.offered, frames.Settings[http2.SettingEnableConnectProtocol])
		})
	}
}

// A plain CONNECT asks for a tunnel to anywhere.
func TestNobodyGetsATunnelToAnywhere(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	frames := edge.Frames(t, testbed.Way{})
	s := frames.Open(t, false, ":method: CONNECT", ":authority: "+testbed.Host+":443")
	s.Answer(t).IsEdge(405, "method_not_exposed").Stays()
	assert.Zero(t, backend.Heads())
}

// Websockets and events share a connection; one that ends takes nothing with it.
func TestAWebsocketEndsAlone(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, echoes...)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), guiFor("127.0.0.1"))
	frames := edge.Frames(t, testbed.Way{})
	websocket := append([]string{":method: CONNECT", ":protocol: websocket"}, post[1:]...)
	var tunnels []*testbed.Stream
	for range 3 {
		tunnels = append(tunnels, frames.Open(t, false, websocket...))
	}
	for _, s := range tunnels {
		s.Head(t).HasStatus(200)
		s.Got(t, len("welcome"))
	}
	tunnels[0].Data(t, "", true)
	frames.Until(t, "the end of the tunnel", tunnels[0].Over)
	tunnels[1].Reset(t, http2.ErrCodeCancel)
	for range 2 {
		edge.NextLogLine(t).Has("status", 101).Has("reason", "ok")
	}
	tunnels[2].Data(t, "still there", false)
	tunnels[2].Got(t, len("welcomestill there"))
}
