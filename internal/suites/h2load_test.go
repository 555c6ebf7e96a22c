//go:build suites

package suites

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Many streams on many connections at once: answers that are ready together leave
// together, and none is mixed up or lost.
func TestH2loadLosesNoEvent(t *testing.T) {
	needs(t, "h2load")
	e := newEdge(t, access{})
	const count = 5000
	body := event("one of many", 1000)
	output, err := run(t, "h2load", "--requests", fmt.Sprint(count), "--clients=32", "--max-concurrent-streams=8",
		"--connection-active-timeout=60s", "--header="+kind, "--data="+written(t, body), e.url("/track"))
	require.NoError(t, err, "%s", output)
	assert.Contains(t, output, "\nApplication protocol: h2\n")
	assert.Contains(t, output, fmt.Sprintf("%[1]d done, %[1]d succeeded, 0 failed, 0 errored, 0 timeout\n", count))
	assert.Contains(t, output, fmt.Sprintf("\nstatus codes: %d 2xx, 0 3xx, 0 4xx, 0 5xx\n", count))
	assert.True(t, slices.Equal(slices.Repeat([]delivery{{"POST", "/track", "application/json", body, ""}}, count), e.collector.deliveries()),
		"%d requests reached the collector, or some were not what was sent", len(e.collector.deliveries()))
	e.speak(t, spoken, count)
}
