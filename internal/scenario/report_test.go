//go:build scenario

package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// report is what became of many visits.
type report []visit

func (r report) only(keep func(visit) bool) report {
	var kept report
	for _, v := range r {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (r report) posts() report { return r.only(func(v visit) bool { return v.post }) }

func (r report) gets() report { return r.only(func(v visit) bool { return !v.post }) }

func (r report) failed() report { return r.only(visit.failed) }

// began holds the visits that began from one time up to another.
func (r report) began(from, to time.Time) report {
	return r.only(func(v visit) bool { return !v.begin.Before(from) && v.begin.Before(to) })
}

// answeredBy holds what a backend answered.
func (r report) answeredBy(name string) report {
	return r.only(func(v visit) bool { return v.backend == name })
}

// quantile is the time that this share of the visits did not exceed; 0 of none.
func (r report) quantile(share float64) time.Duration {
	if len(r) == 0 {
		return 0
	}
	var times []time.Duration
	for _, v := range r {
		times = append(times, v.took())
	}
	slices.Sort(times)
	return times[int(share*float64(len(times)-1))]
}

// slack is what a busy machine may add to a time. Only the long form, which has the
// machine to itself, can tell more than whether somebody was kept waiting.
func slack() time.Duration {
	if raced {
		return 2 * time.Second
	}
	return lasts(time.Second, 100*time.Millisecond)
}

// noSlowerThan demands that 99 of 100 visits took at most so many times as long as
// those of a baseline, give or take the slack of the machine.
func (r report) noSlowerThan(t *testing.T, factor float64, baseline report, phase string) {
	t.Helper()
	usual := baseline.quantile(.99)
	limit := max(time.Duration(factor*float64(usual)), usual+slack())
	assert.LessOrEqual(t, r.quantile(.99), limit, "p99 %s (baseline %s); the slowest %v", phase, usual, r.slowest())
}

// faultless demands that none of the visits failed.
func (r report) faultless(t *testing.T, which string) {
	t.Helper()
	assert.NotEmpty(t, r, which)
	assert.Empty(t, r.failed().shown(), "%s that failed", which)
}

// unmixed demands that nobody got what was another's.
func (r report) unmixed(t *testing.T) {
	t.Helper()
	assert.Empty(t, r.only(func(v visit) bool { return errors.Is(v.err, errMixed) }).shown(), "mixed answers")
}

// backends counts who answered.
func (r report) backends() map[string]int {
	times := map[string]int{}
	for _, v := range r {
		times[v.backend]++
	}
	return times
}

// shown is the first visits as text.
func (r report) shown() []string {
	var lines []string
	for _, v := range r[:min(len(r), 10)] {
		lines = append(lines, v.String())
	}
	return lines
}

// slowest is the visits that took longest, as text.
func (r report) slowest() []string {
	sorted := slices.SortedFunc(slices.Values(r), func(a, b visit) int { return int(b.took() - a.took()) })
	return report(sorted).shown()
}

// String is one line about all visits.
func (r report) String() string {
	var by []string
	for name, times := range r.backends() {
		by = append(by, fmt.Sprintf("%s:%d", name, times))
	}
	slices.Sort(by)
	return fmt.Sprintf("%d POST (%d failed), %d GET (%d failed), p50 %s, p99 %s, max %s, by %s", len(r.posts()), len(r.posts().failed()),
		len(r.gets()), len(r.gets().failed()), r.quantile(.5).Round(10*time.Microsecond), r.quantile(.99).Round(10*time.Microsecond), r.quantile(1).Round(10*time.Microsecond),
		strings.Join(by, " "))
}
