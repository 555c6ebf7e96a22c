package testbed

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Metrics returns what a scrape would read, without comments and without what
// Go's runtime and the process say.
func (g *Gate) Metrics(t testing.TB) []string {
	t.Helper()
	w := httptest.NewRecorder()
	g.set.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code)
	var ours []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "trackgate_") {
			ours = append(ours, strings.TrimSuffix(line, "\n"))
		}
	}
	return ours
}

// Metric returns the value of one series, as in
// `trackgate_backend_up{backend="127.0.0.1:80",pool="collectors"}`; 0 if there
// is none.
func (g *Gate) Metric(t testing.TB, series string) float64 {
	t.Helper()
	for _, line := range g.Metrics(t) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			return v
		}
	}
	return 0
}

// Shows waits for a series to have this value.
func (g *Gate) Shows(t testing.TB, series string, value float64) {
	t.Helper()
	require.Eventually(t, func() bool { return g.Metric(t, series) == value }, Patience, 5*time.Millisecond,
		"%s is %v, not %v", series, g.Metric(t, series), value)
}
