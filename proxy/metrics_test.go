package proxy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// figures are values and names that differ from run to run.
var figures = regexp.MustCompile(`(_sum\{.*\}|_bucket\{.*\}) .*|127\.0\.0\.1:\d+|(version|revision)="[^"]*"`)

// TestMetricsAfterAStory holds names, labels and counters against a golden file:
// dashboards depend on them.
func TestMetricsAfterAStory(t *testing.T) {
	t.Parallel()
	testbed.OverEach(t, func(t *testing.T, p testbed.Protocol) {
		backend := testbed.Backend(t, testbed.Says("hello"), testbed.ClosesWhenReused())
		dead := testbed.DeadAddr(t)
		edge := p.Edge(t, testbed.Pool(backend.Addr, dead), testbed.PoolKeys("timeouts: {connect: 5s}"))
		client := edge.Dial(t, testbed.Way{})
		for range 2 { // whose turn it is decides nothing: each reaches the living one in the end
			client.Post(t, "/track", event).HasStatus(200)
		}
		client.Ask(t, "GET /docs").HasStatus(404)
		client.Ask(t, "OPTIONS /track").HasStatus(204)
		client.Send(t, "what\r\n\r\n")
		client.Answer(t, "GET").IsEdge(400, "malformed").Closes()
		_, err := edge.TryDial(t, testbed.Way{Name: "other.test"})
		require.Error(t, err)
		edge.Drain()
		edge.Ended(t)

		var got []string
		for _, line := range edge.Metrics(t) {
			line = strings.ReplaceAll(strings.ReplaceAll(line, backend.Addr, "LIVING"), dead, "DEAD")
			if strings.Contains(line, `le="`) && !strings.Contains(line, `le="+Inf"`) {
				continue
			}
			line = strings.ReplaceAll(line, `protocol="`+string(p)+`"`, `protocol="THE PROTOCOL"`)
			got = append(got, figures.ReplaceAllString(line, "$1 N"))
		}
		slices.Sort(got) // ports decide the order of backends otherwise
		golden, err := os.ReadFile("testdata/metrics.golden")
		require.NoError(t, err)
		assert.Equal(t, string(golden), strings.Join(got, "\n")+"\n")
	})
}
