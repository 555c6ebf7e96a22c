package discovery

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testdns"
)

// resolver returns one that asks only the servers given, with all the time that a
// slow machine may need.
func resolver(servers ...*testdns.Server) *Resolver {
	var all []string
	for _, s := range servers {
		all = append(all, s.Addr)
	}
	return NewResolver(Options{Servers: all, Timeout: time.Minute})
}

// lookup does one round and writes its members in short.
func lookup(t *testing.T, w *Watch) (members []string, err error) {
	t.Helper()
	all, _, err := w.Lookup(t.Context())
	for _, m := range all {
		members = append(members, fmt.Sprintf("%s %s %d %d", m.Addr, m.Name, m.Weight, m.Priority))
	}
	return members, err
}

// result does one round.
func result(t *testing.T, w *Watch) Result {
	t.Helper()
	r, _ := w.once(t.Context())
	return r
}

func TestAHostIsAllItsAddresses(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set("be.example", "A", 9, "10.0.0.2", "10.0.0.1", "10.0.0.10", "0.0.0.0")
	dns.Set("be.example", "AAAA", 7, "2001:db8::1", "::ffff:10.0.0.1")
	w := resolver(dns).Host("be.example.", 8080)

	members, ttl, err := w.Lookup(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Member{
		{"10.0.0.1:8080", "be.example", 1, 0},
		{"10.0.0.2:8080", "be.example", 1, 0},
		{"10.0.0.10:8080", "be.example", 1, 0},
		{"[2001:db8::1]:8080", "be.example", 1, 0},
	}, members)
	assert.Equal(t, 7*time.Second, ttl)
}

func TestOneFamilyIsEnough(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set("four.example", "A", 1, "10.0.0.1")
	dns.Set("six.example", "AAAA", 1, "2001:db8::1")
	r := resolver(dns)
	assert.Equal(t, Result{Members: []Member{{"10.0.0.1:80", "four.example", 1, 0}}, Changed: true}, result(t, r.Host("four.example", 80)))
	assert.Equal(t, Result{Members: []Member{{"[2001:db8::1]:80", "six.example", 1, 0}}, Changed: true}, result(t, r.Host("six.example", 80)))
}

func TestAHostBehindAliases(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set("www.example", "CNAME", 4, "be.example")
	dns.Set("be.example", "A", 9, "10.0.0.1")
	members, ttl, err := resolver(dns).Host("www.example", 80).Lookup(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Member{{"10.0.0.1:80", "www.example", 1, 0}}, members, "certificates name what was written")
	assert.Equal(t, 4*time.Second, ttl)
}

func TestTheLastGoodSetOutlivesEveryFailure(t *testing.T) {
	dns := testdns.Start(t)
	w := resolver(dns).Host("be.example", 80)
	good := []string{"10.0.0.1:80 be.example 1 0", "[2001:db8::1]:80 be.example 1 0"}
	for _, row := range []struct {
		fault func()
		want  string
	}{
		{func() { dns.Remove("be.example") }, "be.example: no such name (NXDOMAIN from " + dns.Addr + ")"},
		{func() { dns.Set("be.example", "A", 1); dns.Set("be.example", "AAAA", 1) }, "be.example: no address (NOERROR from " + dns.Addr + ")"},
		{func() { dns.Set("be.example", "A", 1, "0.0.0.0"); dns.Set("be.example", "AAAA", 1) }, "be.example: no address (NOERROR from " + dns.Addr + ")"},
		{func() { dns.Fail("be.example", "SERVFAIL") }, "be.example A: SERVFAIL from " + dns.Addr + "; be.example AAAA: SERVFAIL from " + dns.Addr},
		{func() { dns.Set("be.example", "A", 1); dns.Fail("be.example", "REFUSED", "AAAA") }, "be.example AAAA: REFUSED from " + dns.Addr},
	} {
		row.fault()
		before, err := lookup(t, w)
		assert.EqualError(t, err, row.want)

		dns.Set("be.example", "A", 1, "10.0.0.1")
		dns.Set("be.example", "AAAA", 1, "2001:db8::1")
		after, err := lookup(t, w)
		assert.NoError(t, err, "it recovers")
		assert.Equal(t, good, after)

		row.fault()
		again, err := lookup(t, w)
		assert.EqualError(t, err, row.want)
		assert.Equal(t, good, again)
		if before != nil {
			assert.Equal(t, good, before)
		}
	}
}

func TestAFamilyThatCannotBeAskedKeepsItsRecords(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set("be.example", "A", 3, "10.0.0.1")
	dns.Fail("be.example", "SERVFAIL", "AAAA")
	w := resolver(dns).Host("be.example", 80)
	first := result(t, w)
	assert.Len(t, first.Members, 1)
	assert.NoError(t, first.Err, "one family is there, and the other never was")
	assert.EqualError(t, first.Partial, "be.example AAAA: SERVFAIL from "+dns.Addr)

	dns.Set("be.example", "AAAA", 1, "2001:db8::1")
	assert.Len(t, result(t, w).Members, 2)

	dns.Set("be.example", "A", 3, "10.0.0.9")
	dns.Fail("be.example", "SERVFAIL", "AAAA")
	members, ttl, err := w.Lookup(t.Context())
	assert.NoError(t, err)
	assert.Equal(t, []Member{{"10.0.0.9:80", "be.example", 1, 0}, {"[2001:db8::1]:80", "be.example", 1, 0}}, members)
	assert.Equal(t, 3*time.Second, ttl, "only what is fresh has a say")

	dns.Set("be.example", "AAAA", 1)
	assert.Len(t, result(t, w).Members, 1, "no record is an answer")
}

func TestThousandsOfAddressesComeOverTCPAndAreCut(t *testing.T) {
	dns := testdns.Start(t)
	var all []string
	for i := range 4000 {
		all = append(all, fmt.Sprintf("10.%d.%d.1", i/200, i%200))
	}
	dns.Set("many.example", "A", 1, all...)
	w := resolver(dns).Host("many.example", 80)
	first := result(t, w)
	require.NoError(t, first.Err)
	assert.Len(t, first.Members, mostMembers)
	assert.Equal(t, 3000, first.Dropped)
	assert.Equal(t, 3, dns.Questions(), "A twice, AAAA once")

	dns.Set("many.example", "A", 1, all[1:]...)
	second := result(t, w)
	assert.True(t, second.Changed)
	assert.Equal(t, first.Members[1:], second.Members[:mostMembers-1], "those that stay are the same")
}

func TestAShortTruncatedAnswerIsAskedForAgainToo(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set("be.example", "A", 1, "10.0.0.1")
	dns.Truncate("be.example")
	members, err := lookup(t, resolver(dns).Host("be.example", 80))
	assert.NoError(t, err)
	assert.Equal(t, []string{"10.0.0.1:80 be.example 1 0"}, members)
}

func TestAChangeIsPickedUpWhenTheRecordsExpire(t *testing.T) {
	t.Parallel()
	dns := testdns.Start(t)
	dns.Set("be.example", "A", 1, "10.0.0.1", "10.0.0.2")
	results, stop := watching(t, resolver(dns).Host("be.example", 80))
	assert.Len(t, (<-results).Members, 2)

	dns.Set("be.example", "A", 1, "10.0.0.2", "10.0.0.3", "10.0.0.4")
	changed := until(t, results, func(r Result) bool { return r.Changed })
	assert.Len(t, changed.Members, 3)

	dns.Fail("be.example", "SERVFAIL")
	failed := until(t, results, func(r Result) bool { return r.Err != nil })
	assert.Equal(t, changed.Members, failed.Members)
	stop()
}

func TestTheEndDoesNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	dns := testdns.Start(t)
	dns.Silence("be.example")
	results, stop := watching(t, NewResolver(Options{Servers: []string{dns.Addr}, Timeout: time.Hour}).Host("be.example", 80))
	dns.Await(2)
	stop()
	assert.Empty(t, results)
}

// watching runs w until stop, which waits for its end.
func watching(t *testing.T, w *Watch) (results chan Result, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	results = make(chan Result, 1000)
	go func() {
		defer close(ended)
		w.Run(ctx, func(r Result) { results <- r })
	}()
	return results, func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Error("it does not end")
		}
	}
}

// until returns the first result for which good holds.
func until(t *testing.T, results <-chan Result, good func(Result) bool) Result {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case r := <-results:
			if good(r) {
				return r
			}
		case <-timeout:
			require.Fail(t, "it does not happen")
		}
	}
}
