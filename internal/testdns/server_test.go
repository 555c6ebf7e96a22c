package testdns

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, s *Server, network, name string, kind uint16) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: 10 * time.Second}
	m, _, err := c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), s.Addr)
	require.NoError(t, err)
	return m
}

func values(records []dns.RR) []string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprint(r.Header().Name, r.Header().Ttl, " ", r.String()[len(r.Header().String()):]))
	}
	return all
}

func TestAnswersWhatWasSetLast(t *testing.T) {
	s := Start(t)
	s.Set("Be.example", "A", 7, "10.0.0.1", "10.0.0.2")
	assert.Equal(t, []string{"Be.example.7 10.0.0.1", "Be.example.7 10.0.0.2"}, values(ask(t, s, "udp", "be.EXAMPLE", dns.TypeA).Answer))

	s.Set("be.example", "A", 1, "10.0.0.3")
	m := ask(t, s, "tcp", "be.example", dns.TypeA)
	assert.Equal(t, []string{"be.example.1 10.0.0.3"}, values(m.Answer))
	assert.True(t, m.RecursionAvailable)
	assert.Equal(t, 2, s.Questions())
	assert.Equal(t, 2, s.Asked("be.example.", "A"))
	assert.Equal(t, 0, s.Asked("be.example.", "AAAA"))
}

func TestUnknownNamesAndUnknownKindsDiffer(t *testing.T) {
	s := Start(t)
	s.Set("be.example", "A", 1, "10.0.0.1")
	assert.Equal(t, dns.RcodeNameError, ask(t, s, "udp", "fe.example", dns.TypeA).Rcode)
	assert.Equal(t, dns.RcodeSuccess, ask(t, s, "udp", "be.example", dns.TypeAAAA).Rcode)

	s.Set("be.example", "A", 1)
	m := ask(t, s, "udp", "be.example", dns.TypeA)
	assert.Equal(t, dns.RcodeSuccess, m.Rcode)
	assert.Empty(t, m.Answer)

	s.Remove("be.example")
	assert.Equal(t, dns.RcodeNameError, ask(t, s, "udp", "be.example", dns.TypeA).Rcode)
}

func TestFollowsAliases(t *testing.T) {
	s := Start(t)
	s.Set("a.example", "CNAME", 5, "b.example")
	s.Set("b.example", "CNAME", 4, "c.example")
	s.Set("c.example", "A", 3, "10.0.0.1")
	assert.Equal(t, []string{"a.example.5 b.example.", "b.example.4 c.example.", "c.example.3 10.0.0.1"}, values(ask(t, s, "udp", "a.example", dns.TypeA).Answer))

	s.Set("c.example", "CNAME", 3, "a.example")
	assert.NotEmpty(t, ask(t, s, "udp", "b.example", dns.TypeAAAA).Answer, "a circle ends")
}

func TestFailsAndHeals(t *testing.T) {
	s := Start(t)
	s.Set("be.example", "A", 1, "10.0.0.1")
	s.Fail("be.example", "SERVFAIL")
	assert.Equal(t, dns.RcodeServerFailure, ask(t, s, "udp", "be.example", dns.TypeA).Rcode)
	s.Heal("be.example")
	assert.Len(t, ask(t, s, "udp", "be.example", dns.TypeA).Answer, 1)

	s.Fail("be.example", "REFUSED", "AAAA")
	assert.Equal(t, dns.RcodeRefused, ask(t, s, "udp", "be.example", dns.TypeAAAA).Rcode)
	assert.Len(t, ask(t, s, "udp", "be.example", dns.TypeA).Answer, 1)

	s.Set("be.example", "AAAA", 1, "::1")
	assert.Len(t, ask(t, s, "udp", "be.example", dns.TypeAAAA).Answer, 1)
}

func TestIsSilent(t *testing.T) {
	s := Start(t)
	s.Silence("be.example")
	conn, err := net.Dial("udp", s.Addr)
	require.NoError(t, err)
	defer conn.Close()
	for _, name := range []string{"be.example.", "fe.example."} {
		packed, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		require.NoError(t, err)
		_, err = conn.Write(packed)
		require.NoError(t, err)
	}
	s.Await(2)
	m, err := (&dns.Conn{Conn: conn}).ReadMsg()
	require.NoError(t, err)
	assert.Equal(t, "fe.example.", m.Question[0].Name, "the only answer")
}

func TestCutsOverUDPOnly(t *testing.T) {
	s := Start(t)
	var many []string
	for i := range 4000 {
		many = append(many, fmt.Sprintf("10.0.%d.%d", i/250, i%250))
	}
	s.Set("many.example", "A", 1, many...)
	assert.True(t, ask(t, s, "udp", "many.example", dns.TypeA).Truncated)
	assert.Len(t, ask(t, s, "tcp", "many.example", dns.TypeA).Answer, 4000)

	s.Set("one.example", "A", 1, "10.0.0.1")
	s.Truncate("one.example")
	assert.True(t, ask(t, s, "udp", "one.example", dns.TypeA).Truncated)
	assert.Len(t, ask(t, s, "tcp", "one.example", dns.TypeA).Answer, 1)
}

func TestTargetsComeAlongOnDemand(t *testing.T) {
	s := Start(t)
	s.Set("_http._tcp.example", "SRV", 1, "10 5 8080 be1.example")
	s.Set("be1.example", "A", 1, "10.0.0.1")
	s.Set("be1.example", "AAAA", 1, "2001:db8::1")
	assert.Empty(t, ask(t, s, "tcp", "_http._tcp.example", dns.TypeSRV).Extra)
	s.AddTargets(true)
	assert.Equal(t, []string{"be1.example.1 10.0.0.1", "be1.example.1 2001:db8::1"}, values(ask(t, s, "tcp", "_http._tcp.example", dns.TypeSRV).Extra))
}

func TestForgesAnswers(t *testing.T) {
	s := Start(t)
	s.Forge("be.example", func(question []byte) []byte {
		question[2] |= 0x80 // an answer, and nothing else changed
		return question
	})
	m := ask(t, s, "udp", "be.example", dns.TypeA)
	assert.True(t, m.Response)
	assert.False(t, m.RecursionAvailable)
}

func TestStartsWhereItIsTold(t *testing.T) {
	first := StartAt(t, "127.0.0.2:0")
	_, port, err := net.SplitHostPort(first.Addr)
	require.NoError(t, err)
	second := StartAt(t, "127.0.0.3:"+port)
	second.Set("be.example", "A", 1, "10.0.0.1")
	assert.Equal(t, "127.0.0.3:"+port, second.Addr)
	assert.Empty(t, ask(t, first, "udp", "be.example", dns.TypeA).Answer)
	assert.Len(t, ask(t, second, "udp", "be.example", dns.TypeA).Answer, 1)
}
