//go:build suites

package suites

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A uvicorn closes connections that were idle for a second. All visitors come
// back at once, just before, at and after that moment, so that every connection
// was idle for that long; the gate would keep them for four seconds.
func TestNoEventIsLostToAClosingUvicorn(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 2, keepAlive: 1})
	v := newVisitors(t, s)
	const rounds, crowd = 13, 24
	for round := range rounds {
		v.burst(crowd, round)
		<-time.After(time.Second + time.Duration(round-rounds/2)*3*time.Millisecond)
	}
	v.lostNothing(t)
	require.Len(t, v.sent, rounds*crowd)
}

func TestNoEventIsLostToARollingRestart(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, keepAlive: 5})
	v := newVisitors(t, s)
	v.during(t, 6, often, func() {
		for _, u := range s.backends {
			<-time.After(2 * time.Second) // a deployment waits as well, for its readiness
			u.restart(t)
		}
		<-time.After(time.Second)
	})
	v.lostNothing(t)
}

// often is a pause between two events of visitor i.
func often(i int) time.Duration { return time.Duration(10+i) * time.Millisecond }

// What a killed backend had in work may be lost or, as it was sent again, come
// twice; nothing else may.
func TestAKilledUvicornTakesOnlyWhatItHad(t *testing.T) {
	t.Parallel()
	const posting, getting = 6, 4
	s := newSite(t, plan{backends: 2, keepAlive: 5, allow: "track, tracker"})
	posts, gets := newVisitors(t, s), newVisitors(t, s)
	gets.ask = gets.tracker
	posts.during(t, posting, often, func() {
		gets.during(t, getting, often, func() {
			<-time.After(2 * time.Second)
			s.backends[0].kill(t)
			<-time.After(3 * time.Second)
		})
	})

	assert.NotEmpty(t, gets.sent)
	assert.LessOrEqual(t, len(gets.failures), getting, "%v", gets.failures)
	times, twice := s.delivered(t), 0
	for _, id := range posts.sent {
		require.Contains(t, []int{1, 2}, times[id], "how often %s was delivered", id)
		twice += times[id] - 1
	}
	assert.LessOrEqual(t, twice+len(posts.failures), posting, "%v", posts.failures)
}
