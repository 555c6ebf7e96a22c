package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

// differ are the fields of a line that differ from run to run.
var differ = []string{"time", "duration_seconds", "backend_seconds", "request_id"}

// story has an exchange of each kind, and returns their lines.
func story(t *testing.T, p testbed.Protocol, backend string) (lines []map[string]any) {
	t.Helper()
	edge := p.Edge(t, testbed.Pool(backend), testbed.PoolKeys("timeouts: {response: 200ms}"), testbed.Section("limits: {body: 1000}"))
	client := edge.Dial(t, testbed.Way{})
	for _, raw := range []string{
		testbed.Head("POST /track?a=b", append(trackerFields, "Content-Length: 5")...) + "event",
		testbed.Head("POST /track?hang"),
		testbed.Head("OPTIONS /track", asksToPost...),
		testbed.Head("GET /docs"),
		testbed.Head("PUT /track", "Content-Length: 0"),
		testbed.Head("POST /track", "Host: other.test"),
		testbed.Head("POST /track", "Content-Length: 1001"), // the last one: HTTP/1.1 has to close
	} {
		client.Send(t, raw)
		client.Answer(t, "POST")
		fields := edge.NextLogLine(t).Fields
		for _, name := range differ {
			assert.Contains(t, fields, name)
			delete(fields, name)
		}
		lines = append(lines, fields)
	}
	return lines
}

func TestTheLogKnowsTheProtocolAsAFieldAlone(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Says("hello"), testbed.By(func(r testbed.Request) string {
		if r.Line == "POST /track?hang HTTP/1.1" {
			return "HTTP/1.1 100 Continue\r\n\r\n"
		}
		return ""
	}))
	var all [][]map[string]any
	for _, p := range testbed.Protocols() {
		lines := story(t, p, backend.Addr)
		for _, line := range lines {
			assert.EqualValues(t, p, line["protocol"])
			delete(line, "protocol")
		}
		all = append(all, lines)
	}
	assert.Equal(t, all[0], all[1])
	assert.Equal(t, "backend_timeout", all[0][1]["reason"], "the story is as it is meant")
	assert.Equal(t, "body_too_large", all[0][6]["reason"], "to its end")
}
