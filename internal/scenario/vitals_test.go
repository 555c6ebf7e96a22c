//go:build scenario

package scenario

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vitals is what a gate's metrics said at one moment: the values by series.
type vitals map[string]float64

// The vitals of a process that a leak would raise.
const (
	goroutines  = "go_goroutines"
	descriptors = "process_open_fds"
	resident    = "process_resident_memory_bytes"
)

// recovery is how long a gate may take to be as it was before a scenario.
const recovery = 30 * time.Second

// vitals asks the gate.
func (s *site) vitals(t *testing.T) vitals {
	t.Helper()
	res, err := s.scraper.Get("http://" + s.admin + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	found := vitals{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		cut := strings.LastIndexByte(lines.Text(), ' ')
		if strings.HasPrefix(lines.Text(), "#") || cut < 0 {
			continue
		}
		value, err := strconv.ParseFloat(lines.Text()[cut+1:], 64)
		require.NoError(t, err, lines.Text())
		found[lines.Text()[:cut]] = value
	}
	require.NoError(t, lines.Err())
	require.Contains(t, found, goroutines)
	return found
}

// up is the series that says whether an address is given work.
func up(address string) string {
	return fmt.Sprintf(`trackgate_backend_up{backend=%q,pool="collectors"}`, address)
}

// sum adds all series of one name.
func (v vitals) sum(name string) float64 {
	total := 0.0
	for series, value := range v {
		if series == name || strings.HasPrefix(series, name+"{") {
			total += value
		}
	}
	return total
}

// shows waits until the gate says that a backend is up (1) or not (0), and returns
// how long that took.
func (s *site) shows(t *testing.T, b *backend, want float64, within time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	require.True(t, await(within+slack(), func() bool { return s.vitals(t)[up(b.seen)] == want }),
		"%s is not shown as %v within %s", b.name, want, within)
	return time.Since(begin)
}

// handful is how many goroutines come and go with checks and scrapes.
const handful = 8

// asBefore waits until a gate holds no more than before, but for what comes and goes.
func (s *site) asBefore(t *testing.T, before vitals) {
	t.Helper()
	var now vitals
	calm := func() bool {
		now = s.vitals(t)
		return now[goroutines] <= before[goroutines]+handful && now[descriptors] <= before[descriptors]*1.05+4
	}
	assert.True(t, await(recovery, calm), "the gate is not as it was before: goroutines %v, then %v; file descriptors %v, then %v",
		before[goroutines], now[goroutines], before[descriptors], now[descriptors])
	assert.Zero(t, now["trackgate_panics_total"], "panics")
}
