package proxy_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// text is a body of n bytes in which no part looks like another.
func text(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strconv.Itoa(i) + ",")
	}
	return b.String()[:n]
}

func TestBodiesOfAllSizesGoThroughBothWays(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for _, size := range []int{0, 1, 1 << 10, 8 << 10, 12 << 10, 16 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 900 << 10} {
			t.Run(fmt.Sprint(size), func(t *testing.T) {
				t.Parallel()
				body := text(size)
				backend := testbed.Backend(t, testbed.Says(body))
				chunking := testbed.Backend(t, testbed.Raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"+testbed.Chunked(body, 5000)))
				edge := p.Edge(t, testbed.Pool(backend.Addr, chunking.Addr))
				client := edge.Dial(t, testbed.Way{})
				for range 2 {
					client.Post(t, "/track", body).HasStatus(200).HasBody(body).Stays()
					edge.NextLogLine(t).Has("bytes_in", size).Has("bytes_out", size).Has("reason", "ok")
					client.Send(t, testbed.Head("POST /track", "Transfer-Encoding: chunked")+testbed.Chunked(body, 3001))
					client.Answer(t, "POST").HasStatus(200).HasBody(body)
					edge.NextLogLine(t).Has("bytes_in", size).Has("bytes_out", size).Has("reason", "ok")
				}
				for _, b := range []*testbed.Actor{backend, chunking} {
					for range 2 {
						req := b.Next(t)
						assert.True(t, req.Whole && req.Body == body, "%d bytes", len(req.Body))
					}
				}
			})
		}
	})
}

func TestAHeldBodyIsSentWithItsLength(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for raw, want := range map[string][2]string{
			testbed.Head("POST /track", "Transfer-Encoding: chunked") + testbed.Chunked("hello", 2):            {"5", ""},
			testbed.Head("POST /track", "Transfer-Encoding: chunked") + testbed.Chunked("", 2):                 {"0", ""},
			testbed.Head("POST /track", "Transfer-Encoding: chunked") + testbed.Chunked(text(100_000), 50_000): {"", "chunked"},
			testbed.Head("POST /track", "Transfer-Encoding: chunked") + "2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n":       {"", "chunked"},
			testbed.Head("POST /track", "Content-Length: 2") + "hi":                                            {"2", ""},
		} {
			edge.Raw(t, raw).HasStatus(200)
			req := backend.Next(t)
			assert.Equal(t, want[0], strings.Join(req.Field("content-length"), "|"))
			assert.Equal(t, want[1], strings.Join(req.Field("transfer-encoding"), "|"))
			assert.True(t, req.Whole)
		}
	})
}

func TestTrailersGoThroughBothWays(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\ncontent-length: 9\r\n\r\n"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("client_ip_header: x-my-ip"))
		for _, body := range []string{"hi", text(100_000)} {
			chunks := strings.TrimSuffix(testbed.Chunked(body, 30_000), "\r\n")
			edge.Raw(t, testbed.Head("POST /track", "Transfer-Encoding: chunked")+
				chunks+"X-Mine: 1\r\nAuthorization: x\r\nX-My-IP: 6.6.6.6\r\n\r\n").
				HasStatus(200).HasBody("hi").HasTrailer("x-sum", "7").HasTrailer("content-length", "")
			req := backend.Next(t)
			assert.Equal(t, []string{"1"}, req.Field("x-mine"))
			assert.Empty(t, req.Field("authorization"))
			assert.Equal(t, []string{"127.0.0.1"}, req.Field("x-my-ip"), "nobody names himself in a trailer")
			assert.Equal(t, body, req.Body)
		}
	})
}

func TestAClientThatWaitsIsAskedForItsBody(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for _, size := range []int{10, 100_000} {
			client := edge.Dial(t, testbed.Way{})
			client.Send(t, testbed.Head("POST /track", "Expect: 100-continue", "Content-Length: "+strconv.Itoa(size)))
			assert.Equal(t, 100, client.Hint(t))
			client.Send(t, text(size))
			res := client.Answer(t, "POST").HasStatus(200).Stays()
			assert.Empty(t, res.Interim, "100 is said once")
			assert.Empty(t, backend.Next(t).Field("expect"))
		}
		edge.Ask(t, "POST /track", "Expect: miracles", "Content-Length: 0").IsEdge(417, "expectation_failed").Closes()
	})
}

func TestNothingSlowReachesABackend(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		client := edge.Dial(t, testbed.Way{})
		body := text(64 << 10)
		client.Send(t, testbed.Head("POST /track", "Content-Length: "+strconv.Itoa(len(body)))+body[:len(body)-1])
		edge.Post(t, "/track", event).HasStatus(200) // it has had all the time to reach the backend
		assert.Equal(t, 1, backend.Heads())
		client.Send(t, body[len(body)-1:])
		client.Answer(t, "POST").HasStatus(200)
	})
}

func TestABackendsTimeBeginsWhenItHasTheWholeRequest(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("done"))
		edge := p.Edge(t, testbed.Pool(backend.Addr), testbed.PoolKeys("timeouts: {response: 300ms}"))
		client := edge.Dial(t, testbed.Way{})
		client.Send(t, testbed.Head("POST /track", "Content-Length: 100000")+text(70_000))
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for sent := 70_000; sent < 100_000; sent += 2000 { // for 750 ms
			<-ticker.C
			client.Send(t, text(2000))
		}
		client.Answer(t, "POST").HasStatus(200).HasBody("done")
	})
}

func TestAnUploadDoesNotUseAConnectionThatWasClosed(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("done"), testbed.ClosesAfter())
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for range 5 {
			edge.Post(t, "/track", text(100_000)).HasStatus(200).HasBody("done")
			edge.LastLogLine(t).Has("attempts", 1).Has("reused", false)
		}
	})
}

func TestALargeHeadGoesThrough(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		edge.Post(t, "/track", event, "X-Large: "+strings.Repeat("x", 20<<10)).HasStatus(200)
		assert.Equal(t, []string{strings.Repeat("x", 20<<10)}, backend.Next(t).Field("x-large"))
		edge.Post(t, "/track", event).HasStatus(200)
	})
}

func TestAnEarlyAnswerEndsAnUpload(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		answer := "HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge"
		for name, acts := range map[string][]testbed.Act{
			"and the backend closes":   {testbed.Early(answer), testbed.Deaf(), testbed.ClosesAfter()},
			"and the backend reads on": {testbed.Early(answer)},
			"and the backend stays":    {testbed.Early(answer), testbed.Deaf(), testbed.Hangs()},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t, acts...)
				edge := p.Edge(t, testbed.Pool(backend.Addr))
				client := edge.Dial(t, testbed.Way{})
				client.Send(t, testbed.Head("POST /track", "Content-Length: 500000")+text(100_000))
				client.Answer(t, "POST").HasStatus(413).HasBody("large").Closes()
				edge.LastLogLine(t).Has("status", 413).Has("reason", "ok").Has("attempts", 1).Has("backend", backend.Addr)
			})
		}
	})
}

func TestAClientThatStopsInTheMiddleIsToBlame(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for name, row := range map[string]struct {
			raw     string
			reaches bool
		}{
			"held":             {testbed.Head("POST /track", "Content-Length: 100") + "half", false},
			"held, chunked":    {testbed.Head("POST /track", "Transfer-Encoding: chunked") + "64\r\nhalf", false},
			"streamed":         {testbed.Head("POST /track", "Content-Length: 200000") + text(100_000), true},
			"streamed, chunks": {testbed.Head("POST /track", "Transfer-Encoding: chunked") + "30d40\r\n" + text(100_000), true},
			"between chunks":   {testbed.Head("POST /track", "Transfer-Encoding: chunked") + "186a0\r\n" + text(100_000) + "\r\n", true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				backend := testbed.Backend(t)
				edge := p.Edge(t, testbed.Pool(backend.Addr))
				client := edge.Dial(t, testbed.Way{})
				client.Send(t, row.raw)
				client.Close()
				edge.NextLogLine(t).Has("status", 499).Has("reason", "client_closed")
				if row.reaches {
					assert.False(t, backend.Next(t).Whole, "the backend takes it for a whole request")
				}
				assert.Zero(t, edge.Metric(t, `trackgate_backend_requests_total{backend="`+backend.Addr+`",pool="collectors",result="backend_closed"}`))
				edge.Post(t, "/track", event).HasStatus(200)
			})
		}
	})
}

func TestABackendThatDiesInTheMiddleOfAnUploadIsToBlame(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		for range 5 {
			backend := testbed.Backend(t, testbed.Deaf(), testbed.CutsOff())
			edge := p.Edge(t, testbed.Pool(backend.Addr))
			client := edge.Dial(t, testbed.Way{})
			client.Send(t, testbed.Head("POST /track", "Content-Length: 500000")+text(100_000))
			client.Answer(t, "POST").IsEdge(502, "backend_closed").Closes()
			edge.LastLogLine(t).Has("status", 502).Has("reason", "backend_closed")
		}
		for range 5 {
			backend := testbed.Backend(t, testbed.Deaf(), testbed.Hangs())
			edge := p.Edge(t, testbed.Pool(backend.Addr))
			client := edge.Dial(t, testbed.Way{})
			client.Send(t, testbed.Head("POST /track", "Content-Length: 500000")+text(100_000))
			require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
			backend.Leave()
			client.Answer(t, "POST").IsEdge(502, "backend_closed").Closes()
			edge.LastLogLine(t).Has("status", 502).Has("reason", "backend_closed").Has("attempts", 1)
		}
	})
}

func TestRequestsInOneWriteAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.By(func(r testbed.Request) string {
		return "HTTP/1.1 200 OK\r\ncontent-length: " + strconv.Itoa(len(r.Body)) + "\r\n\r\n" + r.Body
	}))
	edge := testbed.Edge(t, testbed.Pool(backend.Addr))
	client := edge.Dial(t, testbed.Way{})
	var all strings.Builder
	for i := range 20 {
		body := text(100 * i)
		all.WriteString(testbed.Head("POST /track", "Content-Length: "+strconv.Itoa(len(body))) + body + testbed.Head("GET /docs"))
	}
	go client.Write([]byte(all.String() + testbed.Head("POST /track", "Connection: close") + testbed.Head("POST /track"))) //nolint:errcheck // seen by the answers
	for i := range 20 {
		client.Answer(t, "POST").HasStatus(200).HasBody(text(100 * i)).Stays()
		client.Answer(t, "GET").IsEdge(404, "not_exposed").Stays()
	}
	client.Answer(t, "POST").HasStatus(200).Closes()
	client.Silent(t)
	assert.Equal(t, 21, backend.Heads(), "nothing behind the last answer is interpreted")
}
