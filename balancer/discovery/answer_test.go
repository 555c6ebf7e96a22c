package discovery

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// message is an answer to a question about name, with these records; those after
// "extra" go into the additional section.
func message(t testing.TB, name string, kind uint16, records ...string) *dns.Msg {
	t.Helper()
	m := query(name, kind)
	m.Response, m.RecursionAvailable = true, true
	section := &m.Answer
	for _, text := range records {
		if text == "extra" {
			section = &m.Extra
			continue
		}
		r, err := dns.NewRR(text)
		require.NoError(t, err)
		*section = append(*section, r)
	}
	return m
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func TestOnlyRecordsOfTheChainCount(t *testing.T) {
	a := read(message(t, "be.example.", dns.TypeA,
		"other.example. 1 IN A 10.9.9.9",
		"c.example. 40 IN A 10.0.0.2",
		"BE.example. 50 IN CNAME b.example.",
		"b.example. 30 IN CNAME C.example.",
		"x.example. 2 IN CNAME c.example.",
		"c.example. 60 IN A 10.0.0.1",
		"c.example. 3 IN AAAA 2001:db8::1",
		"c.example. 3 CH A 10.9.9.8",
		"be.example. 3 IN A 10.9.9.7",
	))
	assert.Equal(t, addrs("10.0.0.2", "10.0.0.1"), a.addrs)
	assert.Equal(t, 30*time.Second, a.ttl)
	assert.True(t, a.exists)
}

func TestAliasesThatRunInACircleEnd(t *testing.T) {
	a := read(message(t, "a.example.", dns.TypeA, "a.example. 5 IN CNAME b.example.", "b.example. 5 IN CNAME a.example."))
	assert.Empty(t, a.addrs)
}

func TestAddressesNobodyHasAreLeftOut(t *testing.T) {
	four := read(message(t, "be.example.", dns.TypeA, "be.example. 1 IN A 0.0.0.0", "be.example. 1 IN A 224.0.0.1",
		"be.example. 1 IN A 255.255.255.255", "be.example. 9 IN A 127.0.0.1"))
	assert.Equal(t, addrs("127.0.0.1"), four.addrs)
	assert.Equal(t, 9*time.Second, four.ttl, "what is left out has no say")

	six := read(message(t, "be.example.", dns.TypeAAAA, "be.example. 1 IN AAAA ::", "be.example. 1 IN AAAA ff02::1",
		"be.example. 1 IN AAAA fe80::1", "be.example. 1 IN AAAA ::ffff:10.0.0.1", "be.example. 1 IN AAAA 2001:db8::1"))
	assert.Equal(t, addrs("10.0.0.1", "2001:db8::1"), six.addrs)
}

func TestRecordsWithoutAnAddressAreLeftOut(t *testing.T) {
	m := message(t, "be.example.", dns.TypeA, "be.example. 9 IN A 10.0.0.1")
	head := dns.RR_Header{Name: "be.example.", Rrtype: dns.TypeA, Class: dns.ClassINET}
	m.Answer = append(m.Answer, &dns.A{Hdr: head}, &dns.A{Hdr: head, A: []byte{1}}, &dns.RFC3597{Hdr: head}, &dns.ANY{Hdr: head})
	assert.Equal(t, addrs("10.0.0.1"), read(m).addrs)
}

func TestATTLBeyondReasonIsNone(t *testing.T) {
	m := message(t, "be.example.", dns.TypeA, "be.example. 1 IN A 10.0.0.1")
	m.Answer[0].Header().Ttl = 1 << 31
	assert.Equal(t, time.Duration(0), read(m).ttl)
	m.Answer[0].Header().Ttl = 1<<31 - 1
	assert.Equal(t, longestTTL, read(m).ttl)
}

func TestANameThatDoesNotExistHasNoRecords(t *testing.T) {
	m := message(t, "be.example.", dns.TypeA, "be.example. 1 IN A 10.0.0.1")
	m.Rcode = dns.RcodeNameError
	assert.Equal(t, answer{ttl: longestTTL}, read(m))
}

func TestTargetsHaveTheAddressesThatCameAlong(t *testing.T) {
	a := read(message(t, "_http._tcp.example.", dns.TypeSRV,
		"_http._tcp.example. 60 IN SRV 10 5 8080 BE1.example.",
		"_http._tcp.example. 60 IN SRV 20 0 8081 be2.example.",
		"extra",
		"be1.example. 20 IN A 10.0.0.1",
		"be1.example. 30 IN AAAA 2001:db8::1",
		"be3.example. 1 IN A 10.9.9.9",
	))
	assert.Equal(t, []serviceRecord{{"be1.example.", 8080, 10, 5}, {"be2.example.", 8081, 20, 0}}, a.services)
	assert.Equal(t, map[string][]netip.Addr{"be1.example.": addrs("10.0.0.1", "2001:db8::1"), "be2.example.": nil}, a.targets)
	assert.Equal(t, 20*time.Second, a.ttl)
}

func TestNamesOfHosts(t *testing.T) {
	for _, good := range []string{"be.example.", "a_b-1.example."} {
		assert.True(t, hostName(good), good)
	}
	for _, bad := range []string{".", `a\032b.example.`, `a\.b.`, "ä.example.", "a/b.", "*.example."} {
		assert.False(t, hostName(bad), bad)
	}
}

// FuzzAnswer holds whatever a server may send against the promises about members.
func FuzzAnswer(f *testing.F) {
	seed := func(m *dns.Msg) {
		m.Id = 1
		packed, err := m.Pack()
		require.NoError(f, err)
		f.Add(packed)
		f.Add(packed[:len(packed)-3])
	}
	seed(message(f, "be.example.", dns.TypeA, "be.example. 5 IN A 10.0.0.1", "be.example. 0 IN A 10.0.0.1"))
	seed(message(f, "be.example.", dns.TypeAAAA, "be.example. 5 IN CNAME b.example.", "b.example. 5 IN AAAA 2001:db8::1"))
	seed(message(f, "be.example.", dns.TypeSRV, "be.example. 5 IN SRV 1 0 80 b.example.", "be.example. 5 IN SRV 1 9 80 .",
		"be.example. 5 IN SRV 0 65535 65535 c.example.", "extra", "b.example. 5 IN A 10.0.0.1", "c.example. 5 IN AAAA ::1"))
	f.Add([]byte{0, 1, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
			q := query("be.example.", kind)
			q.Id = 1
			m, err := parse(raw, q)
			if err != nil {
				continue
			}
			_ = fault(m)
			sane(t, read(m))
		}
	})
}

func sane(t *testing.T, a answer) {
	assert.True(t, a.ttl >= 0 && a.ttl <= longestTTL, a.ttl)
	h := host{name: "be.example"}
	h.keep(a.addrs)
	s := service{}
	services := offered(a.services)
	shared, _ := share(services, s.pick(services, a))
	for _, all := range [][]Member{h.members(80), shared} {
		kept, dropped := tidy(all)
		assert.True(t, len(kept) <= mostMembers && dropped >= 0)
		assert.True(t, slices.IsSortedFunc(kept, before))
		for _, m := range kept {
			addr, err := netip.ParseAddrPort(m.Addr)
			assert.NoError(t, err)
			assert.True(t, usable(addr.Addr()) && addr.Port() > 0 && m.Weight > 0 && hostName(m.Name), fmt.Sprint(m))
		}
	}
}
