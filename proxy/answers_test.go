package proxy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

// tick is how often a test looks whether something has happened.
const tick = 5 * time.Millisecond

func TestAnswersKeepTheirStatusAndFraming(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, row := range map[string]struct {
			raw, body string
			status    int
			length    []string
		}{
			"201":         {"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi", "hi", 201, []string{"2"}},
			"226":         {"HTTP/1.1 226 IM Used\r\ncontent-length: 0\r\n\r\n", "", 226, []string{"0"}},
			"204":         {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, nil},
			"304":         {"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", "", 304, []string{"7"}},
			"422":         {"HTTP/1.1 422 \r\ncontent-length: 2\r\n\r\nno", "no", 422, []string{"2"}},
			"500":         {"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops", "oops", 500, []string{"4"}},
			"until close": {"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", "hello", 200, nil},
			"1.0":         {"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", "hi", 200, []string{"2"}},
			"after 100":   {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "hi", 200, []string{"2"}},
			"chunked":     {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n\r\n", "hi", 200, nil},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t, testbed.Raw(row.raw), testbed.ClosesAfter())
				edge := p.Edge(t, testbed.Pool(backend.Addr))
				res := edge.Post(t, "/track", event).HasStatus(row.status).HasBody(row.body).Stays()
				assert.Equal(t, row.length, res.Header["Content-Length"])
				assert.Empty(t, res.Interim)
				edge.LastLogLine(t).Has("status", row.status).Has("reason", "ok").Has("bytes_out", len(row.body))
			})
		}
	})
}

func TestHEADHasTheFieldsAndNoBody(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("hello"), testbed.Field("content-type", "text/javascript"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [tracker]"))
		client := edge.Dial(t, testbed.Way{})
		for range 2 {
			client.Ask(t, "HEAD /tracker/liliput.min.js").HasStatus(200).HasBody("").HasField("content-length", "5").
				HasField("content-type", "text/javascript").Stays()
			edge.NextLogLine(t).Has("bytes_out", 0)
			client.Ask(t, "GET /tracker/liliput.min.js").HasStatus(200).HasBody("hello")
			edge.NextLogLine(t).Has("bytes_out", 5)
		}
	})
}

const twoHints = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" +
	"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"

func TestInformationalAnswersAreRelayed(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Raw(twoHints))
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		res := edge.Post(t, "/track", event).HasStatus(200).HasBody("hi")
		assert.Equal(t, []int{103, 103}, res.Interim)
	})
}

func TestHTTP10GetsNoInformationalAnswers(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Raw(twoHints))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr))
	assert.Empty(t, edge.Raw(t, "POST /track HTTP/1.0\r\nHost: track.test\r\n\r\n").HasStatus(200).Interim)
}

// cutShort are answers that end before they are whole.
func cutShort() map[string]struct{ raw, reason string } {
	return map[string]struct{ raw, reason string }{
		"length":            {"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + text(50_000), "backend_closed"},
		"chunks":            {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n186a0\r\n" + text(50_000), "backend_closed"},
		"no last chunk":     {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "backend_closed"},
		"garbage in chunks": {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8000\r\n" + text(32768) + "\r\nwhat\r\n", "backend_malformed"},
	}
}

func TestAnAnswerThatIsCutShortIsSeenToBe(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, row := range cutShort() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t, testbed.Raw(row.raw), testbed.ClosesAfter())
				edge := p.Edge(t, testbed.Pool(backend.Addr))
				edge.Post(t, "/track", event).HasStatus(200).IsCut()
				edge.NextLogLine(t).Has("status", 200).Has("reason", row.reason).Has("attempts", 1)
			})
		}
	})
}

func TestAnAnswerToHTTP10ThatIsCutShortIsSeenToBe(t *testing.T) {
	t.Parallel()
	for _, row := range cutShort() {
		backend := testbed.Backend(t, testbed.Raw(row.raw), testbed.ClosesAfter())
		edge := testbed.Edge(t, testbed.Pool(backend.Addr))
		edge.Raw(t, "POST /track HTTP/1.0\r\nHost: track.test\r\n\r\n").HasStatus(200).IsCut()
		edge.NextLogLine(t).Has("protocol", "HTTP/1.0").Has("status", 200).Has("reason", row.reason)
	}
}

func TestAWholeAnswerToHTTP10IsNotCut(t *testing.T) {
	t.Parallel()
	body := text(300_000)
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + testbed.Chunked(body, 7000),
		"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body,
	} {
		backend := testbed.Backend(t, testbed.Raw(raw), testbed.ClosesAfter())
		edge := testbed.Edge(t, testbed.Pool(backend.Addr))
		for range 5 {
			edge.Raw(t, "POST /track HTTP/1.0\r\nHost: track.test\r\n\r\n").HasStatus(200).HasBody(body).Closes()
		}
	}
}

func TestASmallAnswerThatIsNotWholeIs502(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, row := range map[string]struct{ raw, reason string }{
			"nothing":         {" ", "backend_closed"},
			"cut head":        {"HTTP/1.1 200 OK\r\ncontent-le", "backend_closed"},
			"cut body":        {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "backend_closed"},
			"not HTTP":        {"SSH-2.0-OpenSSH\r\n\r\n", "backend_malformed"},
			"two lengths":     {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nhi", "backend_malformed"},
			"both framings":   {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "backend_malformed"},
			"bare LF":         {"HTTP/1.1 200 OK\ncontent-length: 0\n\n", "backend_malformed"},
			"bad chunk":       {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "backend_malformed"},
			"status of two":   {"HTTP/1.1 20 OK\r\n\r\n", "backend_malformed"},
			"101 unasked":     {"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "backend_malformed"},
			"endless 1xx":     {strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100), "backend_malformed"},
			"a head too long": {"HTTP/1.1 200 OK\r\nx: " + strings.Repeat("x", 100_000) + "\r\n\r\n", "backend_malformed"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t, testbed.Raw(row.raw), testbed.ClosesAfter())
				edge := p.Edge(t, testbed.Pool(backend.Addr))
				edge.Post(t, "/track", event).IsEdge(502, row.reason).Stays()
				edge.LastLogLine(t).Has("status", 502).Has("reason", row.reason).Has("attempts", 1).Has("backend", backend.Addr)
				series := `trackgate_backend_requests_total{backend="` + backend.Addr + `",pool="collectors",result="` + row.reason + `"}`
				assert.EqualValues(t, 1, edge.Metric(t, series))
			})
		}
	})
}

func TestWhatABackendSaysTooMuchIsNobodysAnswer(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		first := true
		backend := testbed.Backend(t, testbed.By(func(testbed.Request) string {
			if first {
				first = false
				return "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
			}
			return "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb"
		}))
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		edge.Post(t, "/track", event).HasStatus(200).HasBody("a")
		edge.Post(t, "/track", event).HasStatus(200).HasBody("b")
		edge.NextLogLine(t).Has("reused", false)
		edge.NextLogLine(t).Has("reused", false)
	})
}

func TestAHeadDoesNotWaitForItsBody(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		rest := make(chan struct{})
		backend := testbed.Backend(t, testbed.Early("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
			testbed.Raw("4\r\nbody\r\n0\r\n\r\n"), testbed.Waits(rest))
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track"))
		client.Begun(t, "POST").HasStatus(200)
		close(rest)
		client.Answer(t, "POST").HasBody("body")
	})
}

func TestHEADOfUnknownLengthSaysNone(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Raw("HTTP/1.1 200 OK\r\netag: x\r\n\r\n"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("allow: [tracker]"))
		client := edge.Dial(t, testbed.Way{})
		for range 2 {
			client.Ask(t, "HEAD /tracker/liliput.min.js").HasStatus(200).HasField("etag", "x").Lacks("content-length").Stays()
		}
	})
}

func TestAnAnswerIsPassedOnAsItComes(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		rest := make(chan struct{})
		backend := testbed.Backend(t, testbed.Early("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"),
			testbed.Raw("4\r\nlast\r\n0\r\n\r\n"), testbed.Waits(rest))
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track"))
		client.Begun(t, "POST").HasStatus(200)
		client.Hears(t, "first")
		close(rest)
		client.Answer(t, "POST").HasBody("last")
	})
}
