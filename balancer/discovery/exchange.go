package discovery

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Sizes of messages over UDP: the one we ask for passes every path unfragmented,
// the other is read from servers that do not care.
const (
	advertised = 1232
	accepted   = 4096
)

// oddAnswer is a message that is no answer to our question.
type oddAnswer struct{ why string }

func (e *oddAnswer) Error() string { return e.why }

func query(fqdn string, kind uint16) *dns.Msg {
	return new(dns.Msg).SetQuestion(fqdn, kind).SetEdns0(advertised, false)
}

// exchange sends a question and waits for the answer until ctx ends.
func exchange(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	socket, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	atOnce := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(atOnce) })
	defer stop()

	conn := &dns.Conn{Conn: socket, UDPSize: accepted}
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	return receive(conn, q)
}

// receive returns the answer to q. Over UDP what is none is passed over, since
// anyone who guesses the port could have sent it; if no other comes, the error
// tells of it.
func receive(conn *dns.Conn, q *dns.Msg) (*dns.Msg, error) {
	_, packets := conn.Conn.(net.PacketConn)
	var odd error
	for {
		raw, err := conn.ReadMsgHeader(nil)
		if err != nil && !errors.Is(err, dns.ErrShortRead) {
			return nil, or(odd, err)
		}
		m, err := parse(raw, q)
		if err == nil {
			return m, nil
		}
		if odd = err; !packets {
			return nil, odd
		}
	}
}

func or(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// parse reads a message that has to be the answer to q. One that says it is cut
// may end anywhere; another has to have all the answers it promises, on which
// the library does not insist.
func parse(raw []byte, q *dns.Msg) (*dns.Msg, error) {
	m := new(dns.Msg)
	err := m.Unpack(raw)
	if !m.Truncated && (err != nil || len(m.Answer) != promised(raw)) {
		return nil, &oddAnswer{"garbage"}
	}
	switch {
	case !m.Response || m.Opcode != dns.OpcodeQuery:
		return nil, &oddAnswer{"not an answer"}
	case m.Id != q.Id:
		return nil, &oddAnswer{"an answer with another id"}
	case len(m.Question) != 1 || !sameQuestion(m.Question[0], q.Question[0]):
		return nil, &oddAnswer{"an answer to another question"}
	}
	return m, nil
}

// promised is the number of answers in the head of a message, RFC 1035 section
// 4.1.1.
func promised(raw []byte) int { return int(binary.BigEndian.Uint16(raw[6:])) }

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}
