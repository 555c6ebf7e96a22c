//go:build scenario

package scenario

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noticed is how long a gate may take to notice that its clock was set, and to sign
// what the new time needs.
const noticed = 2 * time.Second

// timed is a site whose gate has a clock that can be set.
type timed struct {
	*site
	clock clock
	times [3]atomic.Int64 // how far a client's clock is ahead: not, as the gate's was, as it is
}

// newTimed makes a site in a time zone. Handshakes are paced, as they are by default.
func newTimed(t *testing.T, zone string, p plan) *timed {
	t.Helper()
	s := &timed{}
	p.binary, p.paced = shiftable(t), lasts("50", "500") // what came late comes together
	s.clock, p.under = newClock(t, zone)
	s.site = newSite(t, p)
	s.client.tls = s.either(s.client.tls)
	return s
}

// either is the TLS of a client that takes a certificate which is valid now by its own
// clock or by that of the gate, before a jump or behind it. Between a jump and the new
// certificate only one of them holds, and then only another. Who resumes a session has
// verified it before.
func (s *timed) either(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.InsecureSkipVerify = true // verified below
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if state.DidResume {
			return nil
		}
		var err error
		for i := range s.times {
			now := time.Now().Add(time.Duration(s.times[i].Load()))
			_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: c.RootCAs, DNSName: c.ServerName, CurrentTime: now})
			if err == nil {
				return nil
			}
		}
		return err
	}
	return c
}

// jump sets the gate's clock, and demands that all goes on.
func (s *timed) jump(t *testing.T, ahead time.Duration) {
	t.Helper()
	lines := s.vitals(t).sum("trackgate_requests_total")
	s.times[1].Store(s.times[2].Swap(int64(ahead)))
	s.clock.jumps(t, ahead)
	t.Logf("%s ahead: a valid certificate after %s", ahead, s.valid(t, ahead))
	pause(lasts(300*time.Millisecond, 10*time.Second))
	now := s.vitals(t)
	assert.Equal(t, float64(len(s.backends)), now.sum("trackgate_backend_up"), "%s ahead: backends that are up", ahead)
	assert.Greater(t, now.sum("trackgate_requests_total"), lines, "%s ahead: requests", ahead)
	assert.WithinDuration(t, time.Now().Add(ahead), s.lastLogged(t), recovery, "%s ahead: the time in the access log", ahead)
}

// valid waits until a client with the gate's clock gets a certificate that it takes.
// When the gate lives in the past, one with the true clock does: the CA has not begun
// for others.
func (s *timed) valid(t *testing.T, ahead time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	var err error
	require.True(t, await(noticed+slack(), func() bool {
		if err = s.shake(t, max(ahead, 0)); err != nil {
			pause(100 * time.Millisecond) // handshakes are paced
		}
		return err == nil
	}), "%s ahead: no certificate that is valid: %v", ahead, err)
	return time.Since(began).Round(time.Millisecond)
}

// shake shakes hands as a client whose clock is ahead.
func (s *timed) shake(t *testing.T, ahead time.Duration) error {
	t.Helper()
	return s.shakeAs(t, "localhost", ahead)
}

// shakeAs is shake for a host.
func (s *timed) shakeAs(t *testing.T, host string, ahead time.Duration) error {
	t.Helper()
	c := s.trust(t)
	c.ServerName = host
	c.Time = func() time.Time { return time.Now().Add(ahead) }
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: recovery}, "tcp", s.address, c)
	if err != nil {
		return err
	}
	return conn.Close()
}

// lastLogged is the time of the last line of the access log.
func (s *site) lastLogged(t *testing.T) time.Time {
	t.Helper()
	text, err := os.ReadFile(s.exchanges)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text[:strings.LastIndexByte(string(text), '\n')])), "\n")
	var last struct{ Time time.Time }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	return last.Time
}

// went demands that no jump has cost anybody anything.
func (s *timed) went(t *testing.T, r report) {
	t.Helper()
	r.faultless(t, "requests")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	now := s.vitals(t)
	assert.Zero(t, now.sum("trackgate_backend_taken_out_total"), "backends that were taken out")
	assert.Zero(t, now.sum("trackgate_connections_refused_total"), "connections that were refused")
	s.settle(t, r)
}

// Somebody sets the clock of the machine, by much, and sets it right again. What waits,
// waits by the other clock; what is good until a day is made anew when the day is over.
func TestScenario22AClockThatJumpsCostsNothing(t *testing.T) {
	t.Parallel()
	s := newTimed(t, "UTC", plan{backends: 2, role: role{Latency: thinks}})
	l := s.load(t, rate())
	pause(warmUp)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour, day, -day, 90 * day, 0} {
		s.jump(t, ahead)
	}
	resumed := s.vitals(t)[resumptions]
	pause(lasts(500*time.Millisecond, 10*time.Second))
	assert.Greater(t, s.vitals(t)[resumptions], resumed, "sessions that are resumed when the clock is right again")
	s.went(t, l.stop())

	// The checks of backends have not stopped.
	b := s.backends[0]
	b.kill(t)
	t.Logf("a backend that dies afterwards is taken out after %s", s.shows(t, b, 0, 3*time.Second))
	b.start(t)
	s.shows(t, b, 1, recovery)
}

const resumptions = `trackgate_handshakes_total{listener="public",result="resumed"}`

// Twice a year the time of day jumps although the clock goes on.
func TestScenario22SummerTimeComesAndGoes(t *testing.T) {
	t.Parallel()
	const zone = "Europe/Berlin"
	place, err := time.LoadLocation(zone)
	require.NoError(t, err)
	s := newTimed(t, zone, plan{backends: 2, role: role{Latency: thinks}})
	l := s.load(t, rate())
	pause(warmUp)
	_, first := time.Now().In(place).ZoneBounds()
	_, second := first.ZoneBounds()
	for _, change := range []time.Time{first, second} {
		s.jump(t, (time.Until(change) - time.Second).Round(time.Millisecond)) // it comes a second later
		require.True(t, await(recovery, func() bool { return s.lastLogged(t).After(change) }), "the log does not reach the change")
	}
	s.jump(t, 0)
	s.went(t, l.stop())
	for _, offset := range []string{"+01:00", "+02:00"} {
		assert.Contains(t, s.process.Output(t), offset, "the gate is not in %s", zone)
	}
}

// Of what fails all the time the gate tells a few times in ten seconds. It must not be
// silent for months because its clock was months ahead once.
func TestScenario22FailuresAreToldOfWhenTheClockIsRightAgain(t *testing.T) {
	t.Parallel()
	if !soak() {
		t.Skip("waits until the gate tells of failures again: SOAK=1")
	}
	s := newTimed(t, "UTC", plan{backends: 1, pool: unchecked})
	s.backends[0].kill(t)
	fails := func(times int) (told int) {
		for range times {
			assert.Equal(t, "connect_failed", s.client.visit(request{id: "v"}).reason)
		}
		return strings.Count(s.process.Output(t), "an attempt failed")
	}
	s.clock.jumps(t, 90*day)
	fails(1)
	s.clock.jumps(t, 0)
	told := fails(20)
	pause(11 * time.Second)
	assert.Greater(t, fails(1), told, "lines about attempts that failed")
}
