package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// metric is a name as it stands in an expression; of a histogram with the ending that
// Prometheus gives it.
var metric = regexp.MustCompile(`trackgate_[a-z0-9_]+`)

// metricNames are what the gate has, as its own files say.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, file := range []string{"families.go", "pool.go", "set.go"} {
		for _, name := range metric.FindAllString(read(t, "../internal/metrics/"+file), -1) {
			names[name] = true
		}
	}
	return names
}

func knows(names map[string]bool, name string) bool {
	return names[name] || names[strings.TrimSuffix(name, "_bucket")]
}

// A rule about a series that nobody has would never tell of anything.
func TestMonitoringAsksForWhatThereIs(t *testing.T) {
	names := metricNames(t)
	require.Greater(t, len(names), 15)
	for _, file := range []string{"monitoring/alerts.yaml", "monitoring/dashboard.json"} {
		found := metric.FindAllString(read(t, file), -1)
		assert.Greater(t, len(found), 8, file)
		for _, name := range found {
			assert.True(t, knows(names, name), "%s: %s", file, name)
		}
	}
	assert.False(t, knows(names, "trackgate_request_total"))
}

func TestTheDashboardHasAnExpressionInEachPanel(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "monitoring/dashboard.json")), &dashboard))
	seen := map[int]bool{}
	for _, p := range dashboard.Panels {
		assert.False(t, seen[p.ID], "%s has the number of another", p.Title)
		seen[p.ID] = true
		require.NotEmpty(t, p.Targets, p.Title)
		assert.NotEmpty(t, p.Targets[0].Expr, p.Title)
	}
}

func TestPrometheusTakesTheRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not here: make install-tools gets it")
	}
	for _, arguments := range [][]string{{"check", "rules", "monitoring/alerts.yaml"}, {"check", "config", "monitoring/prometheus.yaml"}} {
		output, err := exec.Command(promtool, arguments...).CombinedOutput()
		assert.NoError(t, err, "%s", output)
		assert.Contains(t, string(output), "SUCCESS")
	}
	broken := t.TempDir() + "/rules.yaml"
	require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(read(t, "monitoring/alerts.yaml"), "sum by (", "sum bye (", 1)), 0o600))
	_, err = exec.Command(promtool, "check", "rules", broken).CombinedOutput()
	assert.Error(t, err)
}
