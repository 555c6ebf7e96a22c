//go:build scenario

package scenario

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A load balancer asks so often whether the gate is ready, and sends new requests to
// it for so long after it was not.
const (
	asks   = 200 * time.Millisecond
	heeds  = time.Second
	weighs = 2 * time.Second // a slow backend
)

// lastMoment is how long after its drain time a process may be gone. One with the race
// detector waits for a second before it ends.
func lastMoment() time.Duration {
	if raced {
		return 2 * time.Second
	}
	return time.Second
}

// ending is how and when the gate's process ended.
type ending struct {
	err error
	at  time.Time
}

// leaves sends SIGTERM.
func (s *site) leaves() <-chan ending {
	ended := make(chan ending, 1)
	go func() {
		err := s.process.Stop()
		ended <- ending{err, time.Now()}
	}()
	return ended
}

// ready asks the gate whether it wants work.
func (s *site) ready() bool {
	res, err := s.scraper.Get("http://" + s.admin + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// unready returns when a load balancer hears that a proxy is not ready any more.
func unready(t *testing.T, ready func() bool) time.Time {
	t.Helper()
	tick := time.NewTicker(asks)
	defer tick.Stop()
	for over := time.Now().Add(recovery); ready(); <-tick.C {
		require.True(t, time.Now().Before(over), "as ready as ever")
	}
	return time.Now()
}

// refuses returns when connections to an address begin to be refused.
func refuses(address string) <-chan time.Time {
	first := make(chan time.Time, 1)
	go func() {
		await(recovery, func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
		first <- time.Now()
	}()
	return first
}

// leaving is a gate that says for a while that it leaves.
func leaving(t *testing.T, announce, drain time.Duration) *site {
	t.Helper()
	return newSite(t, plan{backends: 3, role: role{Latency: thinks},
		further: further{sections: fmt.Sprintf("timeouts: {announce: %s, drain: %s}\n", announce, drain)}})
}

// Who listens to what the gate says of itself loses nothing: the load balancer, which
// stops to send, and the clients, which connect anew.
func TestScenario17ALeaveBehindALoadBalancerLosesNothing(t *testing.T) {
	t.Parallel()
	const announce, drain = 2 * time.Second, 10 * time.Second
	s := leaving(t, announce, drain)
	l := s.load(t, heavy())
	slow := startShaped(s.client, "slow", 20, func(n int) request {
		return request{post: n%2 == 0, http2: n%4 < 2, fresh: n%5 == 0, waits: weighs}
	})
	pause(lasts(baseline, 10*time.Second))
	require.True(t, s.ready())

	told, ended, refused := time.Now(), s.leaves(), refuses(s.address)
	heard := unready(t, s.ready)
	pause(heeds)
	l.cease()
	slow.cease()
	ceased := time.Now()
	s.trunksLeave(t, told.Add(announce))
	r := append(l.rest(), slow.rest()...)
	closed, end := <-refused, <-ended

	t.Logf("after SIGTERM: not ready %s, the last request %s, closed %s, gone %s; in all %s",
		heard.Sub(told), ceased.Sub(told), closed.Sub(told), end.at.Sub(told), r)
	r.faultless(t, "requests")
	r.began(heard, ceased).saidToBeTheLast(t)
	for what, at := range map[string]time.Time{"was told": told, "closed": closed} {
		assert.NotEmpty(t, r.only(func(v visit) bool { return v.spans(at, at) }), "nothing was under way as the gate %s", what)
	}
	assert.LessOrEqual(t, heard.Sub(told), asks+slack(), "until readiness failed")
	assert.GreaterOrEqual(t, closed.Sub(told), announce, "until the gate closed")
	assert.LessOrEqual(t, closed.Sub(told), announce+slack(), "until the gate closed")
	assert.NoError(t, end.err, "the end of the gate")
	assert.LessOrEqual(t, end.at.Sub(told), announce+drain+lastMoment(), "until the end")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	r.unmixed(t)
	s.honest(t, r)
}

// saidToBeTheLast demands that whoever was served over HTTP/1.1 heard that the
// connection ends.
func (r report) saidToBeTheLast(t *testing.T) {
	t.Helper()
	answers := r.only(func(v visit) bool { return !v.http2 })
	assert.NotEmpty(t, answers, "answers while the gate said that it leaves")
	assert.Empty(t, answers.only(func(v visit) bool { return !v.last }).shown(), "answers that did not say Connection: close")
}

// trunksLeave demands that by a time every connection over HTTP/2 has heard GOAWAY.
func (s *site) trunksLeave(t *testing.T, by time.Time) {
	t.Helper()
	all := s.client.trunks.all()
	assert.NotEmpty(t, all, "connections over HTTP/2")
	heard := await(time.Until(by), func() bool {
		return !slices.ContainsFunc(all, func(t *trunk) bool { return !t.State().Closing && !t.State().Closed })
	})
	assert.True(t, heard, "a connection over HTTP/2 got no GOAWAY")
}

// Who takes longer than the drain time is cut, and the gate is gone a second later.
func TestScenario17ALeaveWaitsForNobodyForEver(t *testing.T) {
	t.Parallel()
	announce, drain := 500*time.Millisecond, lasts(time.Second, 10*time.Second)
	s := leaving(t, announce, drain)
	var asking sync.WaitGroup
	for _, q := range []request{{id: "v-1", post: true}, {id: "v-2", post: true, http2: true}} {
		q.waits = time.Hour
		asking.Go(func() { assert.True(t, s.client.visit(q).failed(), "nothing can have come") })
	}
	require.True(t, await(recovery, func() bool { return len(s.journal.delivered(t)) == 2 }), "the backends have the events")

	told := time.Now()
	end := <-s.leaves()

	assert.NoError(t, end.err, "the end of the gate")
	assert.GreaterOrEqual(t, end.at.Sub(told), announce+drain, "until the end")
	assert.LessOrEqual(t, end.at.Sub(told), announce+drain+lastMoment(), "until the end")
	asking.Wait()
}
