package discovery

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testdns"
)

// forged returns an answer to a question with an address that nobody should
// believe, after change has had its way with it.
func forged(t *testing.T, change func(m *dns.Msg)) testdns.Forgery {
	return func(question []byte) []byte {
		q := new(dns.Msg)
		assert.NoError(t, q.Unpack(question))
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		r, err := dns.NewRR(q.Question[0].Name + " 1 IN A 10.9.9.9")
		assert.NoError(t, err)
		m.Answer = []dns.RR{r}
		change(m)
		packed, err := m.Pack()
		assert.NoError(t, err)
		return packed
	}
}

func TestWhatIsNoAnswerIsNotBelieved(t *testing.T) {
	for _, row := range []struct {
		name  string
		forge testdns.Forgery
		want  string
	}{
		{"another id", forged(t, func(m *dns.Msg) { m.Id++ }), "an answer with another id"},
		{"another name", forged(t, func(m *dns.Msg) { m.Question[0].Name = "fe.example." }), "an answer to another question"},
		{"another kind", forged(t, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }), "an answer to another question"},
		{"no question", forged(t, func(m *dns.Msg) { m.Question = nil }), "an answer to another question"},
		{"a question", forged(t, func(m *dns.Msg) { m.Response = false }), "not an answer"},
		{"garbage", func([]byte) []byte { return []byte("what do you want of me?") }, "garbage"},
		{"hardly anything", func([]byte) []byte { return []byte{1} }, "garbage"},
		{"fewer answers than it says", func(q []byte) []byte { q[2] |= 0x80; q[7] = 9; return q }, "garbage"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := testdns.Start(t)
			server.Forge("be.example", row.forge)
			_, err := exchange(t.Context(), "tcp", server.Addr, query("be.example.", dns.TypeA))
			assert.EqualError(t, err, row.want)
		})
	}
}

func TestAServerThatTalksNonsenseIsListenedToUntilTheTimeIsOver(t *testing.T) {
	t.Parallel()
	server := testdns.Start(t)
	server.Forge("be.example", forged(t, func(m *dns.Msg) { m.Id++ }))
	_, err := asker{[]string{server.Addr}, 1, time.Second}.ask(t.Context(), "be.example.", dns.TypeA)
	assert.EqualError(t, err, "no good answer from "+server.Addr+": an answer with another id")
}

func TestASilentServerHasItsTimeAndNoMore(t *testing.T) {
	server := testdns.Start(t)
	server.Silence("be.example")
	_, err := asker{[]string{server.Addr}, 2, 50 * time.Millisecond}.ask(t.Context(), "be.example.", dns.TypeA)
	assert.EqualError(t, err, "no answer from "+server.Addr+" within 50ms")
}

func TestAnswersThatSettleNothingAreFailures(t *testing.T) {
	for _, row := range []struct {
		change func(m *dns.Msg)
		want   string
	}{
		{func(m *dns.Msg) { m.Rcode = dns.RcodeFormatError }, "FORMERR"},
		{func(m *dns.Msg) { m.Rcode = 14 }, "rcode 14"},
		{func(m *dns.Msg) { m.RecursionAvailable = false; m.Answer = nil }, "a referral"},
		{func(m *dns.Msg) { m.Truncated = true }, "an answer too long for TCP"},
	} {
		server := testdns.Start(t)
		server.Forge("be.example", forged(t, row.change))
		_, err := asker{[]string{server.Addr}, 1, time.Minute}.ask(t.Context(), "be.example.", dns.TypeA)
		assert.EqualError(t, err, row.want+" from "+server.Addr)
	}
}

// answering is a UDP server that sends several packets for one question.
func answering(t *testing.T, packets func(question []byte) [][]byte) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, accepted)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, packet := range packets(buffer[:n]) {
				_, _ = conn.WriteTo(packet, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-ended })
	return conn.LocalAddr().String()
}

func TestTheRightAnswerIsFoundAmongWrongOnes(t *testing.T) {
	addr := answering(t, func(question []byte) [][]byte {
		wrong := forged(t, func(m *dns.Msg) { m.Id++ })(question)
		right := forged(t, func(*dns.Msg) {})(question)
		return [][]byte{{}, []byte("garbage, and more than a head of it"), wrong, right}
	})
	r, err := asker{[]string{addr}, 1, time.Minute}.ask(t.Context(), "be.example.", dns.TypeA)
	require.NoError(t, err)
	assert.Equal(t, addrs("10.9.9.9"), r.addrs)
}

func TestACutAnswerMayEndAnywhere(t *testing.T) {
	server := testdns.Start(t)
	server.Set("be.example", "A", 1, "10.0.0.1")
	q := query("be.example.", dns.TypeA)
	packed, err := q.Pack()
	require.NoError(t, err)
	cut := forged(t, func(m *dns.Msg) { m.Truncated = true })(packed)
	m, err := parse(cut[:len(cut)-2], q)
	require.NoError(t, err)
	assert.True(t, m.Truncated)
}

func TestServersAreAskedInTurn(t *testing.T) {
	first, second, third := testdns.Start(t), testdns.Start(t), testdns.Start(t)
	first.Fail("be.example", "SERVFAIL")
	second.Set("be.example", "A", 1, "10.0.0.2")
	third.Set("be.example", "A", 1, "10.0.0.3")
	a := asker{[]string{deadUDP(t), first.Addr, second.Addr, third.Addr}, 2, time.Minute}
	r, err := a.ask(t.Context(), "be.example.", dns.TypeA)
	require.NoError(t, err)
	assert.Equal(t, second.Addr, r.server)
	assert.Equal(t, addrs("10.0.0.2"), r.addrs)
	assert.Zero(t, third.Questions())

	first.Heal("be.example")
	r, err = a.ask(t.Context(), "be.example.", dns.TypeA)
	require.NoError(t, err)
	assert.False(t, r.exists, "that there is no such name settles it")
}

// deadUDP returns an address where nobody receives.
func deadUDP(t *testing.T) string {
	t.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() }) // it hears only port 9
	return conn.LocalAddr().String()
}

func TestEveryServerIsBlamedForItsLastFailure(t *testing.T) {
	server, dead := testdns.Start(t), deadUDP(t)
	server.Fail("be.example", "REFUSED")
	a := asker{[]string{dead, server.Addr}, 3, time.Minute}
	_, err := a.ask(t.Context(), "be.example.", dns.TypeA)
	assert.EqualError(t, err, "asking "+dead+": read: connection refused; REFUSED from "+server.Addr)
	assert.Equal(t, 3, server.Questions(), "as often as attempts says")
}

func TestAServerThatClosesTheConnectionHasFailed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var length uint16
		_ = binary.Read(conn, binary.BigEndian, &length)
		_, _ = conn.Read(make([]byte, length))
	}()
	_, err = exchange(t.Context(), "tcp", listener.Addr().String(), query("be.example.", dns.TypeA))
	assert.Error(t, err)
}

func TestTheEndOfTheContextEndsAQuestion(t *testing.T) {
	server := testdns.Start(t)
	server.Silence("be.example")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := asker{[]string{server.Addr, server.Addr}, 5, time.Hour}.ask(ctx, "be.example.", dns.TypeA)
		ended <- err
	}()
	server.Await(1)
	cancel()
	assert.Equal(t, context.Canceled, <-ended)
	assert.Equal(t, 1, server.Questions())
}
