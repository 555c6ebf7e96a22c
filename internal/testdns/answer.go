package testdns

import (
	"net"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
)

// answer serves one question.
func (s *Server) answer(w dns.ResponseWriter, asked *dns.Msg) {
	q := question{dns.CanonicalName(asked.Question[0].Name), dns.TypeToString[asked.Question[0].Qtype]}
	r := s.note(q)
	switch {
	case r.silent:
	case r.forge != nil:
		s.sendForged(w, asked, r.forge)
	case r.rcode != "":
		_ = w.WriteMsg(reply(asked, dns.StringToRcode[r.rcode]))
	case r.truncate && overUDP(w):
		cut := reply(asked, dns.RcodeSuccess)
		cut.Truncated = true
		_ = w.WriteMsg(cut)
	default:
		s.sendRecords(w, asked, q)
	}
}

// sendRecords answers with what the zone has. Whoever asked may be gone, so that
// writing may fail.
func (s *Server) sendRecords(w dns.ResponseWriter, asked *dns.Msg, q question) {
	s.mu.Lock()
	records, exists := s.zone.find(q)
	extra := s.zone.targets(records)
	s.mu.Unlock()

	m := reply(asked, dns.RcodeSuccess)
	if !exists {
		m.Rcode = dns.RcodeNameError
	}
	m.Answer, m.Extra = records, extra
	m.Compress = true
	m.Truncate(roomFor(w, asked))
	_ = w.WriteMsg(m)
}

func (s *Server) sendForged(w dns.ResponseWriter, asked *dns.Msg, forge Forgery) {
	packed, err := asked.Pack()
	assert.NoError(s.t, err)
	if forged := forge(packed); forged != nil {
		_, _ = w.Write(forged)
	}
}

func reply(asked *dns.Msg, rcode int) *dns.Msg {
	m := new(dns.Msg).SetRcode(asked, rcode)
	m.RecursionAvailable = true
	return m
}

// roomFor is how long an answer may be: what EDNS0 says, or 512 bytes of old.
func roomFor(w dns.ResponseWriter, asked *dns.Msg) int {
	if !overUDP(w) {
		return dns.MaxMsgSize
	}
	if opt := asked.IsEdns0(); opt != nil {
		return max(dns.MinMsgSize, int(opt.UDPSize()))
	}
	return dns.MinMsgSize
}

func overUDP(w dns.ResponseWriter) bool {
	_, ok := w.RemoteAddr().(*net.UDPAddr)
	return ok
}
