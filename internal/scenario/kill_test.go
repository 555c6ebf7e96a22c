//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// rate is how many visits begin in a second.
func rate() int {
	if raced {
		return 60
	}
	return lasts(150, 500)
}

// heavy is the rate of those scenarios that are about the gate itself.
func heavy() int {
	if raced {
		return rate()
	}
	return lasts(rate(), 1000)
}

// baseline is how long requests come before anything happens; the first moments,
// when every connection is new, do not count.
const (
	warmUp   = 500 * time.Millisecond
	baseline = 2 * time.Second
)

// thinks is how long a backend takes for an answer, so that some are always under
// way.
const thinks = 20 * time.Millisecond

// death is when a backend was killed.
type death struct{ from, to time.Time }

func (b *backend) dies(t *testing.T) death {
	t.Helper()
	d := death{from: time.Now()}
	b.kill(t)
	d.to = time.Now()
	return d
}

// atMost demands that whoever lost a post had it under way as a backend died, and
// that the gate said so. Twice it may not come: what a backend had read is not sent
// to another.
func (s *site) atMost(t *testing.T, r report, deaths ...death) {
	t.Helper()
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	for _, v := range r.posts().failed() {
		at := 0
		for _, d := range deaths {
			if v.spans(d.from, d.to) {
				at++
			}
		}
		assert.Positive(t, at, "lost, but not at a kill: %s", v)
		assert.Equal(t, "backend_closed", v.reason, "%s", v)
	}
}

func TestScenario01AKilledBackendTakesOnlyWhatItHad(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}})
	l := s.load(t, rate())
	pause(warmUp)
	begin := time.Now()
	pause(baseline)
	d := s.backends[0].dies(t)
	t.Logf("taken out after %s", s.shows(t, s.backends[0], 0, time.Second))
	pause(lasts(3*time.Second, 10*time.Second))
	r := l.stop()
	s.backends[0].start(t)

	r.gets().faultless(t, "GET")
	s.atMost(t, r, d)
	usual := r.began(begin, d.from)
	r.began(d.from, d.from.Add(time.Second)).noSlowerThan(t, 2, usual, "in the second of the kill")
	r.began(d.from.Add(2*time.Second), time.Now()).noSlowerThan(t, 1, usual, "two seconds later")
	s.settle(t, r)
}

func TestScenario08KillsOneByOneLoseOnlyWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}})
	l := s.load(t, rate())
	pause(baseline)
	var deaths []death
	for _, b := range s.backends {
		deaths = append(deaths, b.dies(t))
		b.start(t)
		pause(lasts(2*time.Second, 20*time.Second))
	}
	r := l.stop()

	r.gets().faultless(t, "GET")
	s.atMost(t, r, deaths...)
	s.settle(t, r)
}
