//go:build scenario

package scenario

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/faults"
	"github.com/trackgate/trackgate/internal/testdns"
)

// collectors is the name that the backends have in DNS, and ttl for how long an
// answer holds, in seconds.
const (
	collectors = "collectors.test."
	ttl        = 1
)

// registry is the DNS of a site.
type registry struct {
	*testdns.Server
	site *site
}

// named is a site whose backends are found by their name; at first only the first
// few of them have it.
func named(t *testing.T, backends, first int, role role) *registry {
	t.Helper()
	_, port, err := net.SplitHostPort(faults.Address(t))
	require.NoError(t, err)
	d := &registry{Server: testdns.Start(t)}
	p := plan{
		backends: backends,
		role:     role,
		port:     port,
		entries:  fmt.Sprintf(`"dns+http://collectors.test:%s"`, port),
		pool:     checked + fmt.Sprintf("\ndns: {servers: [%q], refresh: 5s, timeout: 300ms}", d.Addr),
	}
	d.Set(collectors, "A", ttl, addresses(0, first)...)
	d.site = newSite(t, p)
	return d
}

// addresses are those of the backends from one number up to another.
func addresses(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("127.0.0.%d", i+2))
	}
	return all
}

// members waits until the gate gives work to exactly these backends.
func (d *registry) members(t *testing.T, from, to int, within time.Duration) {
	t.Helper()
	ask := func() bool {
		now, right := d.site.vitals(t), 0
		for _, b := range d.site.backends[from:to] {
			right += int(now[up(b.seen)])
		}
		return right == to-from && now.sum("trackgate_backend_up") == float64(right)
	}
	require.True(t, await(within+slack(), ask), "the backends %d to %d get work, and no others", from+1, to)
}

// successful is the series that says whether the last lookup worked.
func (d *registry) successful(t *testing.T) string {
	t.Helper()
	for series := range d.site.vitals(t) {
		if len(series) > len(lookups) && series[:len(lookups)] == lookups {
			return series
		}
	}
	require.Fail(t, "no metric says how the lookups go")
	return ""
}

const lookups = "trackgate_discovery_successful"

// lookupsGo waits until the gate says that lookups work (1) or not (0).
func (d *registry) lookupsGo(t *testing.T, want float64, within time.Duration) {
	t.Helper()
	series := d.successful(t)
	require.True(t, await(within+slack(), func() bool { return d.site.vitals(t)[series] == want }), "%s is not %v", series, want)
}

func TestScenario13BackendsComeAndGoByName(t *testing.T) {
	t.Parallel()
	const change = (ttl + 1) * time.Second
	d := named(t, 4, 2, role{Latency: thinks})
	l := d.site.load(t, rate())
	d.members(t, 0, 2, change)
	pause(time.Second)

	d.Set(collectors, "A", ttl, addresses(1, 3)...)
	d.members(t, 1, 3, change)
	d.Set(collectors, "A", ttl, addresses(2, 4)...)
	d.members(t, 2, 4, change)
	pause(time.Second)
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, d.site.twice(t, r).shown(), "delivered twice")
	for _, b := range d.site.backends {
		assert.NotEmpty(t, r.answeredBy(b.name), b.name)
	}
	d.Set(collectors, "A", ttl, addresses(0, 4)...) // all are to be up again
	d.site.settle(t, r)
}

func TestScenario13AFailingDNSChangesNothing(t *testing.T) {
	t.Parallel()
	d := named(t, 2, 2, role{Latency: thinks})
	l := d.site.load(t, rate())
	pause(warmUp)
	begin := time.Now()
	pause(time.Second)
	fails := map[string]func(){
		"NXDOMAIN": func() { d.Remove(collectors) },
		"SERVFAIL": func() { d.Fail(collectors, "SERVFAIL") },
		"silence":  func() { d.Silence(collectors) },
		"nobody":   func() { d.Set(collectors, "A", ttl) },
	}
	broken := time.Now()
	for kind, fail := range fails {
		fail()
		d.lookupsGo(t, 0, 3*time.Second)
		pause(lasts(time.Second/2, 20*time.Second))
		d.members(t, 0, 2, 0)
		d.Set(collectors, "A", ttl, addresses(0, 2)...)
		// Who has failed is asked again within the refreshing time.
		d.lookupsGo(t, 1, 6*time.Second)
		t.Logf("after %s", kind)
	}
	r := l.stop()

	r.faultless(t, "requests")
	r.began(broken, time.Now()).noSlowerThan(t, 1, r.began(begin, broken), "while DNS fails")
	d.site.settle(t, r)
}

// Thousands of addresses under one name are more than a pool may have; those that
// it takes must not keep it from its work.
func TestScenario13TooManyAddressesHarmNobody(t *testing.T) {
	t.Parallel()
	d := named(t, 2, 2, role{Latency: thinks})
	l := d.site.load(t, rate()/3)
	pause(time.Second)
	crowded := addresses(0, 2)
	for i := range lasts(2_000, 3_000) { // as many as fit into the 64 KiB of an answer
		crowded = append(crowded, fmt.Sprintf("127.1.%d.%d", i/200, i%200+1)) // where nobody listens
	}
	d.Set(collectors, "A", ttl, crowded...)
	require.True(t, await(10*time.Second, func() bool { return d.site.count(t, "trackgate_backend_up") > 900 }), "most of them are members")
	pause(lasts(2*time.Second, 10*time.Second))
	d.Set(collectors, "A", ttl, addresses(0, 2)...)
	d.members(t, 0, 2, 10*time.Second)
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, d.site.twice(t, r).shown(), "delivered twice")
	d.site.settle(t, r)
}

// count is how many series of one name there are.
func (s *site) count(t *testing.T, name string) int {
	t.Helper()
	count := 0
	for series := range s.vitals(t) {
		if len(series) > len(name) && series[:len(name)+1] == name+"{" {
			count++
		}
	}
	return count
}

// Backends join before they have their name and end behind it, as Kubernetes does.
func TestScalingUpAndDownLosesNothing(t *testing.T) {
	t.Parallel()
	d := named(t, 6, 2, role{Latency: thinks})
	for _, b := range d.site.backends[2:] {
		b.stop(t)
	}
	l := d.site.load(t, rate())
	pause(time.Second)
	for _, b := range d.site.backends[2:] {
		b.start(t)
	}
	d.Set(collectors, "A", ttl, addresses(0, 6)...)
	d.members(t, 0, 6, 3*time.Second)
	pause(lasts(2*time.Second, 15*time.Second))
	d.Set(collectors, "A", ttl, addresses(0, 2)...)
	d.members(t, 0, 2, 3*time.Second)
	for _, b := range d.site.backends[2:] {
		b.stop(t)
	}
	pause(time.Second)
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, d.site.twice(t, r).shown(), "delivered twice")
	for _, b := range d.site.backends {
		assert.NotEmpty(t, r.answeredBy(b.name), b.name)
	}
	d.site.backends = d.site.backends[:2]
	d.site.settle(t, r)
}
