//go:build scenario

package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hosted is a site of which the first backend is on a host that can vanish.
func hosted(t *testing.T, number int, p plan) (*site, *host) {
	t.Helper()
	p.host = newHost(t, number)
	return newSite(t, p), p.host
}

// Every request needs a new connection, and those to one backend lead nowhere.
func TestScenario04ABlackholeDelaysOnlyTheFirst(t *testing.T) {
	t.Parallel()
	s, h := hosted(t, 0, plan{backends: 3, role: role{Once: true}, pool: checked + "\ntimeouts: {connect: 1s}"})
	b := s.backends[0]
	l := s.load(t, rate())
	pause(warmUp)
	begin := time.Now()
	pause(baseline)
	gone := time.Now()
	h.drops(t, beginnings)
	t.Logf("taken out after %s", s.shows(t, b, 0, 2*time.Second))
	out := time.Now()
	pause(lasts(3*time.Second, 20*time.Second))
	r := l.stop()
	h.heals(t)

	r.faultless(t, "requests")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	late := r.only(func(v visit) bool { return v.begin.After(gone) && v.took() >= time.Second })
	assert.LessOrEqual(t, len(late), unnoticed(), "requests that waited for the connection: %s", late)
	r.began(out, time.Now()).noSlowerThan(t, 1, r.began(begin, gone), "when the backend was out")
	s.settle(t, r)
}

// unnoticed is how many requests may begin at a backend until the gate has noticed
// that connections to it take longer than usual: those of 40 ms, and on a machine
// that does something else those of 200.
func unnoticed() int {
	notices := lasts(200*time.Millisecond, 40*time.Millisecond)
	return int(notices.Seconds()*float64(rate())/3) + 1
}

// The host vanishes with the connections that the gate keeps to it.
func TestScenario05AVanishedHostCostsEachConnectionOneAnswer(t *testing.T) {
	t.Parallel()
	s, h := hosted(t, 1, plan{backends: 3, role: role{Latency: thinks}, pool: checked + "\ntimeouts: {response: 1s}"})
	b := s.backends[0]
	l := s.load(t, rate())
	pause(baseline)
	kept := established(t, b.Address)
	h.drops(t, anything)
	kept = max(kept, established(t, b.Address)) // some may have come meanwhile
	t.Logf("%d connections; taken out after %s", kept, s.shows(t, b, 0, 2*time.Second))
	require.True(t, await(10*time.Second, func() bool { return established(t, b.Address) == 0 }), "no connection to a host that has vanished")
	out := time.Now()
	pause(lasts(2*time.Second, 20*time.Second))
	r := l.stop()
	h.heals(t)

	r.gets().faultless(t, "GET")
	lost := r.posts().failed()
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	assert.LessOrEqual(t, len(lost), kept, "one for each kept connection: %s", lost)
	for _, v := range lost {
		assert.Equal(t, "backend_timeout", v.reason, "%s", v)
		assert.LessOrEqual(t, v.took(), time.Second+late+slack(), "%s", v)
	}
	r.began(out, time.Now()).faultless(t, "requests when the backend was out")
	s.settle(t, r)
}

// Without checks and with a long time for answers, the kernel's own probing finds
// out that nobody is there.
func TestScenario05AVanishedHostIsNoticedByTheKernel(t *testing.T) {
	t.Parallel()
	s, h := hosted(t, 2, plan{backends: 1, role: role{Latency: time.Hour}, pool: unchecked + "\ntimeouts: {response: 5m}"})
	done := make(chan visit, 1)
	go func() { done <- s.client.visit(request{id: "v-1", post: true}) }()
	require.True(t, await(recovery, func() bool { return s.journal.delivered(t)["v-1"] == 1 }), "the backend has the event")
	gone := time.Now()
	h.drops(t, anything)
	v := <-done

	assert.Equal(t, 504, v.status, "%s", v)
	assert.Equal(t, "backend_timeout", v.reason, "%s", v)
	assert.LessOrEqual(t, v.end.Sub(gone), 10*time.Second+slack())
	h.heals(t)
	s.settle(t, report{v})
}
