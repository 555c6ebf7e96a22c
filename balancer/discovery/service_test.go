package discovery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testdns"
)

const http = "_http._tcp.be.example"

func TestAServiceIsTheAddressesOfItsTargets(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set(http, "SRV", 60, "20 0 9000 Spare.example", "10 30 8080 be1.example", "10 10 8081 be2.example",
		"10 10 0 be1.example", "10 10 80 .", `10 10 80 b\032e.example`)
	dns.Set("be1.example", "A", 50, "10.0.0.1")
	dns.Set("be2.example", "CNAME", 40, "be3.example")
	dns.Set("be3.example", "AAAA", 30, "2001:db8::1")
	dns.Set("spare.example", "A", 50, "10.0.0.9")
	members, ttl, err := resolver(dns).Service(http).Lookup(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Member{
		{"10.0.0.1:8080", "be1.example", 30, 10},
		{"[2001:db8::1]:8081", "be2.example", 10, 10},
		{"10.0.0.9:9000", "spare.example", 1, 20},
	}, members)
	assert.Equal(t, 30*time.Second, ttl)
}

func TestTargetsThatCameAlongAreNotAskedFor(t *testing.T) {
	dns := testdns.Start(t)
	dns.AddTargets(true)
	dns.Set(http, "SRV", 60, "0 0 8080 be1.example", "0 0 8080 be2.example")
	dns.Set("be1.example", "A", 50, "10.0.0.1")
	dns.Set("be1.example", "AAAA", 20, "2001:db8::1")
	w := resolver(dns).Service(http)
	first := result(t, w)
	assert.Len(t, first.Members, 2)
	assert.EqualError(t, first.Partial, "be2.example: no such name (NXDOMAIN from "+dns.Addr+")")
	assert.Equal(t, 0, dns.Asked("be1.example", "A"))
	assert.Equal(t, 1, dns.Asked("be2.example", "A"))
}

func TestATargetThatFailsKeepsItsAddresses(t *testing.T) {
	dns := testdns.Start(t)
	dns.Set(http, "SRV", 60, "0 1 8080 be1.example", "0 1 8080 be2.example")
	dns.Set("be1.example", "A", 50, "10.0.0.1")
	dns.Set("be2.example", "A", 50, "10.0.0.2")
	w := resolver(dns).Service(http)
	good := result(t, w)
	require.Len(t, good.Members, 2)

	for _, fault := range []func(string){
		func(name string) { dns.Fail(name, "SERVFAIL") },
		dns.Remove,
	} {
		fault("be2.example")
		half := result(t, w)
		assert.NoError(t, half.Err)
		assert.ErrorContains(t, half.Partial, "be2.example")
		assert.Equal(t, good.Members, half.Members)
	}

	dns.Fail("be1.example", "SERVFAIL")
	failed := result(t, w)
	assert.EqualError(t, failed.Err, "be1.example A: SERVFAIL from "+dns.Addr+"; be1.example AAAA: SERVFAIL from "+dns.Addr+" (and 1 more)")
	assert.Equal(t, good.Members, failed.Members)

	dns.Set("be1.example", "A", 50, "10.0.0.1")
	dns.Set(http, "SRV", 60, "0 1 8080 be1.example")
	assert.Len(t, result(t, w).Members, 1, "a target that is no longer named is gone")
	dns.Set(http, "SRV", 60, "0 1 8080 be1.example", "0 1 8080 be2.example")
	assert.Len(t, result(t, w).Members, 1, "and forgotten")
}

func TestAServiceThatFailsKeepsItsMembers(t *testing.T) {
	dns := testdns.Start(t)
	w := resolver(dns).Service(http)
	good := func() {
		dns.Set(http, "SRV", 60, "0 1 8080 be1.example")
		dns.Set("be1.example", "A", 50, "10.0.0.1")
	}
	for _, row := range []struct {
		fault func()
		want  string
	}{
		{func() { dns.Remove(http) }, http + ": no such name (NXDOMAIN from " + dns.Addr + ")"},
		{func() { dns.Set(http, "SRV", 1) }, http + ": no SRV record (NOERROR from " + dns.Addr + ")"},
		{func() { dns.Set(http, "SRV", 1, "0 0 0 .") }, http + ": its SRV records offer no service (from " + dns.Addr + ")"},
		{func() { dns.Set(http, "SRV", 1, "0 0 80 .") }, http + ": its SRV records offer no service (from " + dns.Addr + ")"},
		{func() { dns.Fail(http, "NOTIMP") }, http + " SRV: NOTIMP from " + dns.Addr},
		{func() { dns.Remove("be1.example") }, "be1.example: no such name (NXDOMAIN from " + dns.Addr + ")"},
	} {
		good()
		require.NoError(t, result(t, w).Err)
		row.fault()
		failed := result(t, w)
		assert.EqualError(t, failed.Err, row.want)
		assert.Equal(t, []Member{{"10.0.0.1:8080", "be1.example", 1, 0}}, failed.Members)
	}
}

func TestQuestionsForTargetsAreBounded(t *testing.T) {
	dns := testdns.Start(t)
	var records []string
	for i := range 100 {
		records = append(records, fmt.Sprintf("%d 1 8080 be%03d.example", i/50, i), fmt.Sprintf("%d 1 8081 be%03d.example", i/50, i))
		dns.Set(fmt.Sprintf("be%03d.example", i), "A", 50, fmt.Sprintf("10.0.0.%d", i))
	}
	dns.Set(http, "SRV", 60, records...)
	w := resolver(dns).Service(http)
	r := result(t, w)
	require.NoError(t, r.Err)
	assert.Equal(t, 2+2*mostTargets, dns.Questions(), "SRV over UDP and TCP, A and AAAA of each")
	assert.Len(t, r.Members, 2*mostTargets)
	assert.Equal(t, 2*(100-mostTargets), r.Dropped)
	assert.Equal(t, "10.0.0.0:8080", r.Members[0].Addr)
	assert.Equal(t, "10.0.0.63:8081", r.Members[2*mostTargets-1].Addr, "the first ones by priority and name")
}

func TestAServiceIsSearchedForToo(t *testing.T) {
	dns := testdns.StartAt(t, "127.0.0.2:0")
	dns.Set(http, "SRV", 60, "0 1 8080 be1.example")
	dns.Set("be1.example", "A", 50, "10.0.0.1")
	dns.Set("be1.example.be.example", "A", 50, "10.9.9.9")
	r := NewResolver(Options{ResolvConf: conf(t, "", "nameserver 127.0.0.2\nsearch be.example\noptions ndots:5\n"), Timeout: time.Minute})
	r.port = dns.Addr[strings.LastIndexByte(dns.Addr, ':')+1:]
	members, err := lookup(t, r.Service("_http._tcp"))
	assert.NoError(t, err)
	assert.Equal(t, []string{"10.0.0.1:8080 be1.example 1 0"}, members, "targets are absolute")
}
