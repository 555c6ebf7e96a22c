package accesslog

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// took writes an exchange that has ended at a time.
func (l *Log) took(end time.Time, d time.Duration, path string) {
	l.Write(&Entry{Time: end.Add(-d), Duration: d, Path: []byte(path), Status: 200})
}

func TestTheSlowestOfTheLastMinutes(t *testing.T) {
	l := New(Options{Output: io.Discard, Sample: 0})
	now := l.slowest.began.Add(90 * time.Second)
	for n := range 100 {
		l.took(now, time.Duration(n)*time.Millisecond, fmt.Sprintf("/now/%d", n))
	}
	got := paths(t, l.slowest.lines(now))
	assert.Equal(t, []string{"/now/99", "/now/98", "/now/97", "/now/96", "/now/95", "/now/94", "/now/93", "/now/92", "/now/91", "/now/90"}, got)

	next := now.Add(time.Minute)
	l.took(next, time.Microsecond, "/next")
	assert.Equal(t, append(got, "/next"), paths(t, l.slowest.lines(next)), "each minute has its own")
	l.took(now.Add(time.Second), time.Hour, "/late")
	l.took(next, time.Millisecond, "/next/slower")
	assert.Equal(t, []string{"/late", "/next/slower", "/next"}, paths(t, l.slowest.lines(now.Add(6*time.Minute))))
	assert.Contains(t, paths(t, l.slowest.lines(now.Add(5*time.Minute))), "/now/99", "all of five minutes")
	assert.Empty(t, l.slowest.lines(now.Add(time.Hour)))
}

// The clock is set back or forward: what counts is how much later it is.
func TestAClockThatIsSetChangesNothing(t *testing.T) {
	l := New(Options{Output: io.Discard})
	for n := range 3 * slowestKept {
		l.Write(&Entry{Time: time.Now(), Duration: time.Duration(n), Path: fmt.Appendf(nil, "/%d", n)})
	}
	assert.False(t, l.slowest.wants(&Entry{Time: time.Now().Add(-10 * time.Minute), Duration: 1}))
	assert.Len(t, l.Recent().Slowest, slowestKept)
}

func TestWhoIsRefusedIsNotAmongTheSlowest(t *testing.T) {
	l := New(Options{Output: io.Discard})
	for path, e := range map[string]Entry{
		"/websocket": {Status: 101}, "/refused": {Status: 408, Reason: reason.ClientTooSlow},
		"/failed": {Status: 502, Reason: reason.ConnectFailed}, "/left": {Status: 200, Reason: reason.ClientClosed},
	} {
		e.Path, e.Time, e.Duration = []byte(path), time.Now().Add(-time.Minute), time.Minute
		l.Write(&e)
	}
	assert.ElementsMatch(t, []string{"/failed", "/left"}, paths(t, l.Recent().Slowest))
}

func TestTheSlowestAreKeptByManyAtOnce(t *testing.T) {
	l, now := New(Options{Output: io.Discard, Sample: 0}), time.Now()
	var working sync.WaitGroup
	for worker := range 8 {
		working.Go(func() {
			for n := range 500 {
				l.took(now, time.Duration(1+worker*500+n)*time.Microsecond, fmt.Sprintf("/%d", 1+worker*500+n))
			}
		})
	}
	working.Wait()
	assert.Equal(t, "/4000", paths(t, l.slowest.lines(now))[0])
	assert.Len(t, l.slowest.lines(now), slowestKept)
}

func TestKeepingTheSlowestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, took := New(Options{Output: io.Discard, Sample: 0}), time.Millisecond
	e := &Entry{Time: time.Now(), Path: []byte("/track"), Status: 200}
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		took += time.Microsecond
		e.Duration = took
		l.Write(e)
	}))
	require.NotEmpty(t, l.Recent().Slowest)
}
