//go:build scenario

package scenario

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/faults"
)

// unchecked leaves a backend in its pool whatever it does, so that its faults are
// seen for long.
const unchecked = "health: {interval: 0s, failures: 0}"

// A backend that takes a request and dies: every connection to it is new, so the
// gate cannot think that it was closed before.
func TestScenario02ADeathBeforeTheAnswerIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	// As nobody takes the backend out, more is repeated than the usual budget allows.
	s := newSite(t, plan{backends: 3, faults: true, pool: unchecked + "\nretry: {budget: 100}"})
	s.backends[0].between.Set(faults.CutAfter(0))
	l := s.load(t, rate())
	pause(lasts(4*time.Second, 30*time.Second))
	r := l.stop()

	s.budgeted(t, r.gets().failed())
	dead := r.posts().failed()
	assert.NotEmpty(t, dead, "the backend never died")
	for _, v := range dead {
		assert.Equal(t, 502, v.status, "%s", v)
		assert.Equal(t, "backend_closed", v.reason, "%s", v)
	}
	assert.LessOrEqual(t, dead.quantile(.99), 50*time.Millisecond+slack())
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}

// An answer of which the client has seen the beginning must not end as if it was
// whole, with a length or without.
func TestScenario03ADeathWithinTheAnswerIsSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, faults: true, pool: unchecked})
	s.backends[0].between.Set(faults.CutAfter(30_000))
	l := startShaped(s.client, "v", rate()/2, func(n int) request {
		return request{size: 60_000, chunked: n%2 == 0, fresh: n%5 == 0, http2: n%4 > 1}
	})
	pause(lasts(4*time.Second, 30*time.Second))
	r := l.stop()

	cut := r.answeredBy(s.backends[0].name)
	assert.NotEmpty(t, cut, "nothing was cut")
	for _, v := range cut {
		var reset http2.StreamError
		assert.True(t, errors.Is(v.err, io.ErrUnexpectedEOF) || v.http2 && errors.As(v.err, &reset), "an answer that was cut: %s", v)
	}
	r.only(func(v visit) bool { return v.backend != s.backends[0].name }).faultless(t, "answers of the others")
	s.settle(t, r)
}

// Of a short answer that says its length the client gets nothing before the gate
// has all of it, so it can still be had from another backend.
func TestScenario03AShortAnswerThatIsCutIsFetchedElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, faults: true, pool: unchecked + "\nretry: {budget: 100}"})
	s.backends[0].between.Set(faults.CutAfter(2_000))
	l := startShaped(s.client, "v", rate()/2, func(n int) request {
		return request{size: 4_000, fresh: n%5 == 0, http2: n%2 == 0}
	})
	pause(lasts(2*time.Second, 30*time.Second))
	r := l.stop()

	assert.NotEmpty(t, s.journal.count(t, got)[s.backends[0].name], "nothing was cut")
	s.budgeted(t, r.failed())
	assert.Empty(t, r.answeredBy(s.backends[0].name))
	s.settle(t, r)
}

// budgeted demands that nothing failed but for want of a place among those that are
// repeated at the same time: a machine that stands still for a moment lets more fall
// due together than the gate repeats, which here is as many as run at all.
func (s *site) budgeted(t *testing.T, failed report) {
	t.Helper()
	refused := s.vitals(t).sum("trackgate_retries_refused_total")
	assert.LessOrEqual(t, len(failed), int(refused), "GET that failed, other than by the %v refused repetitions: %s", refused, failed.shown())
}
