package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

// uncertain is a request that can be taken more than one way.
type uncertain struct {
	raw    string
	status int
	reason string
}

// demandRefused demands that it is refused, and returns its client.
func (u uncertain) demandRefused(t *testing.T, edge *testbed.Gate) *testbed.Client {
	t.Helper()
	client := edge.Dial(t, testbed.Way{})
	client.Send(t, u.raw)
	client.Answer(t, "POST").IsEdge(u.status, u.reason).Closes().HasField("vary", "Origin")
	edge.NextLogLine(t).Has("status", u.status).Has("reason", u.reason).Has("attempts", 0).Has("listener", "public")
	return client
}

// TestWhatCannotBeReadWithCertaintyIsRefused shows one of each sort; the engines'
// own tests and the corpus have the rest.
func TestWhatCannotBeReadWithCertaintyIsRefused(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr))
		for name, row := range map[string]uncertain{
			"two lengths": {testbed.Head("POST /track", "Content-Length: 5", "Content-Length: 5"), 400, "malformed"},
			"no number":   {testbed.Head("POST /track", "Content-Length: -1"), 400, "malformed"},
			"no host":     {"POST /track HTTP/1.1\r\n\r\n", 400, "malformed"},
			"not UTF-8":   {testbed.Head("POST /track", "X: \xff"), 400, "malformed"},
			"an alias":    {testbed.Head("POST /track", "X_Forwarded_For: 6.6.6.6"), 400, "malformed"},
			"a fragment":  {testbed.Head("POST /track#x"), 400, "malformed"},
			"a miracle":   {testbed.Head("POST /track", "Expect: miracles"), 417, "expectation_failed"},
		} {
			t.Run(name, func(t *testing.T) { row.demandRefused(t, edge) })
		}
		assert.Zero(t, backend.Heads())
	})
}

func TestWhatIsNoHTTP11IsRefusedAndTheConnectionEnds(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP1.Edge(t, testbed.Pool(backend.Addr))
	for name, row := range map[string]uncertain{
		"two framings":     {testbed.Head("POST /track", "Content-Length: 5", "Transfer-Encoding: chunked"), 400, "malformed"},
		"two hosts":        {testbed.Head("POST /track", "Host: track.test", "Host: track.test"), 400, "malformed"},
		"bare LF":          {"POST /track HTTP/1.1\nHost: track.test\n\n", 400, "malformed"},
		"folded":           {testbed.Head("POST /track", "X: 1\r\n 2"), 400, "malformed"},
		"CONNECT":          {testbed.Head("CONNECT track.test:443"), 400, "malformed"},
		"HTTP/2 in clear":  {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"},
		"HTTP/3.7":         {"POST /track HTTP/3.7\r\nHost: track.test\r\n\r\n", 505, "version_not_supported"},
		"bytes after that": {testbed.Head("POST /track", "Content-Length: -1") + testbed.Head("POST /track"), 400, "malformed"},
	} {
		t.Run(name, func(t *testing.T) { row.demandRefused(t, edge).Silent(t) })
	}
	assert.Zero(t, backend.Heads())
}

func TestAFailureInABodyIsToldInsteadOfAnAnswer(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Pool(backend.Addr))
	edge.Raw(t, testbed.Head("POST /track", "Transfer-Encoding: chunked")+"5\r\nhelloX\r\n0\r\n\r\n").IsEdge(400, "malformed").Closes()
	edge.LastLogLine(t).Has("status", 400).Has("reason", "malformed").Has("attempts", 0)

	edge.Raw(t, testbed.Head("POST /track", "Transfer-Encoding: chunked")+"186a0\r\n"+text(100_000)+"X\r\n0\r\n\r\n").IsEdge(400, "malformed").Closes()
	edge.LastLogLine(t).Has("status", 400).Has("reason", "malformed").Has("attempts", 1)
	assert.False(t, backend.Next(t).Whole, "what reached the backend must not look whole")
	assert.Zero(t, edge.Metric(t, `trackgate_backend_requests_total{backend="`+backend.Addr+`",pool="collectors",result="backend_closed"}`))
}
