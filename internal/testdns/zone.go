package testdns

import (
	"fmt"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// zone is what a server knows and how it is to behave.
type zone struct {
	records map[question][]dns.RR
	rules   map[question]rule // of one kind, or of every kind: ""
	extra   bool
}

// rule is how questions about one name are treated; the zero value is well.
type rule struct {
	rcode    string
	silent   bool
	truncate bool
	forge    Forgery
}

// Forgery makes the bytes of an answer from the bytes of a question. Nil is no
// answer.
type Forgery func(question []byte) []byte

func newZone() zone {
	return zone{records: map[question][]dns.RR{}, rules: map[question]rule{}}
}

// Set makes values the only records of their kind that name has, with a TTL in
// seconds. Values are written as in a zone file: "10.0.0.1" for A, "10 5 8080
// be1.example" for SRV. Without values the name exists but has no such records.
// A name that was failing or silent answers well again.
func (s *Server) Set(name, kind string, ttl int, values ...string) {
	s.t.Helper()
	records := []dns.RR{}
	for _, value := range values {
		record, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", dns.Fqdn(name), ttl, kind, value))
		require.NoError(s.t, err)
		records = append(records, record)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone.heal(dns.CanonicalName(name))
	s.zone.records[question{dns.CanonicalName(name), kind}] = records
}

// Remove makes the server forget name, so that it says NXDOMAIN.
func (s *Server) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone.heal(dns.CanonicalName(name))
	for q := range s.zone.records {
		if q.name == dns.CanonicalName(name) {
			delete(s.zone.records, q)
		}
	}
}

// Fail answers questions about name with an error, such as "SERVFAIL" or
// "REFUSED": all of them, or those of the kinds given.
func (s *Server) Fail(name, rcode string, kinds ...string) {
	s.t.Helper()
	require.Contains(s.t, dns.StringToRcode, rcode)
	s.rule(name, rule{rcode: rcode}, kinds)
}

// Silence leaves questions about name unanswered.
func (s *Server) Silence(name string, kinds ...string) { s.rule(name, rule{silent: true}, kinds) }

// Truncate sends nothing but the sign of truncation over UDP.
func (s *Server) Truncate(name string, kinds ...string) { s.rule(name, rule{truncate: true}, kinds) }

// Forge answers questions about name with whatever bytes make returns, over UDP
// and TCP. It is called concurrently.
func (s *Server) Forge(name string, make Forgery, kinds ...string) {
	s.rule(name, rule{forge: make}, kinds)
}

// Heal ends Fail, Silence, Truncate and Forge for name; its records are those of
// before.
func (s *Server) Heal(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone.heal(dns.CanonicalName(name))
}

// AddTargets says whether answers with SRV records carry the addresses of their
// targets along, in the additional section. At first they do not.
func (s *Server) AddTargets(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone.extra = on
}

func (s *Server) rule(name string, r rule, kinds []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(kinds) == 0 {
		kinds = []string{""}
	}
	for _, kind := range kinds {
		s.zone.rules[question{dns.CanonicalName(name), kind}] = r
	}
}

func (z *zone) heal(name string) {
	for q := range z.rules {
		if q.name == name {
			delete(z.rules, q)
		}
	}
}

func (z *zone) ruleFor(q question) rule {
	if r, ok := z.rules[q]; ok {
		return r
	}
	return z.rules[question{name: q.name}]
}

// find returns the records that answer q, with the CNAME records on the way, and
// whether the name at the end exists.
func (z *zone) find(q question) (records []dns.RR, exists bool) {
	for range 10 {
		found, ok := z.records[q]
		if ok {
			return append(records, found...), true
		}
		alias := z.records[question{q.name, "CNAME"}]
		if len(alias) == 0 {
			return records, z.knows(q.name)
		}
		records = append(records, alias[0])
		q.name = dns.CanonicalName(alias[0].(*dns.CNAME).Target)
	}
	return records, true
}

func (z *zone) knows(name string) bool {
	for q := range z.records {
		if q.name == name {
			return true
		}
	}
	return false
}

// targets returns the addresses of the targets of the SRV records among records.
func (z *zone) targets(records []dns.RR) []dns.RR {
	var addresses []dns.RR
	for _, r := range records {
		if srv, ok := r.(*dns.SRV); ok && z.extra {
			name := dns.CanonicalName(srv.Target)
			addresses = append(addresses, z.records[question{name, "A"}]...)
			addresses = append(addresses, z.records[question{name, "AAAA"}]...)
		}
	}
	return addresses
}
