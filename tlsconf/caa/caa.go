// Package caa reads from DNS which authorities may sign certificates for a host (RFC 8659).
//
// An authority reads it as well, and its word counts. To read it here before an order is
// made tells an operator in time what is in the way.
package caa

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Policy is the record set that holds for a host.
type Policy struct {
	Domain  string   // where it was found: the host or one above it; "" for nowhere
	Signers []string // the domains that authorities go by, in lower case; empty where nobody may sign
	bound   bool     // there is a record that names who may sign
	unknown string   // a critical property that nobody here knows
}

// Find returns the policy for host, asking servers (host:port) in turn until one answers.
func Find(ctx context.Context, servers []string, host string) (Policy, error) {
	name, wildcard := strings.CutPrefix(dns.CanonicalName(host), "*.")
	for name != "." {
		records, err := ask(ctx, servers, name)
		if err != nil {
			return Policy{}, err
		}
		if len(records) > 0 {
			return policyOf(strings.TrimSuffix(name, "."), records, wildcard), nil
		}
		_, name, _ = strings.Cut(name, ".") // RFC 8659 section 3: up the tree
		name = dns.Fqdn(name)
	}
	return Policy{}, nil
}

// ask follows aliases, as servers do that it asks.
func ask(ctx context.Context, servers []string, name string) (records []*dns.CAA, err error) {
	err = fmt.Errorf("CAA of %s: there is no server to ask", name)
	for _, server := range servers {
		var answer *dns.Msg
		answer, err = exchange(ctx, server, new(dns.Msg).SetQuestion(name, dns.TypeCAA))
		if err == nil && answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
			err = fmt.Errorf("CAA of %s: %s says %s", name, server, dns.RcodeToString[answer.Rcode])
		}
		if err != nil {
			continue
		}
		for _, record := range answer.Answer {
			if r, ok := record.(*dns.CAA); ok {
				records = append(records, r)
			}
		}
		return records, nil
	}
	return nil, err
}

// exchange asks once more over TCP for what is too long for UDP.
func exchange(ctx context.Context, server string, question *dns.Msg) (answer *dns.Msg, err error) {
	for _, network := range []string{"udp", "tcp"} {
		client := dns.Client{Net: network}
		answer, _, err = client.ExchangeContext(ctx, question, server)
		if err != nil {
			return nil, fmt.Errorf("CAA of %s: %w", question.Question[0].Name, err)
		}
		if !answer.Truncated {
			break
		}
	}
	return answer, nil
}

// policyOf reads a record set. For a wildcard, issuewild records take the place of issue
// records (RFC 8659 section 4.3).
func policyOf(domain string, records []*dns.CAA, wildcard bool) Policy {
	p := Policy{Domain: domain}
	tag := "issue"
	if wildcard && slices.ContainsFunc(records, func(r *dns.CAA) bool { return strings.EqualFold(r.Tag, "issuewild") }) {
		tag = "issuewild"
	}
	for _, r := range records {
		switch {
		case strings.EqualFold(r.Tag, tag):
			p.bound = true
			if signer := signerOf(r.Value); signer != "" {
				p.Signers = append(p.Signers, signer)
			}
		case r.Flag&critical != 0 && !known(strings.ToLower(r.Tag)):
			p.unknown = r.Tag
		}
	}
	return p
}

// critical is the flag of a property that has to be understood (RFC 8659 section 4.1).
const critical = 128

func known(tag string) bool {
	return slices.Contains([]string{"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}, tag)
}

// signerOf returns the domain before the parameters, "" for nobody (RFC 8659 section 4.2).
func signerOf(value string) string {
	domain, _, _ := strings.Cut(value, ";")
	return strings.ToLower(strings.Trim(domain, " \t"))
}

// Forbids says why an authority that goes by one of identities may not sign, "" if it may.
func (p Policy) Forbids(identities []string) string {
	switch {
	case p.unknown != "":
		return fmt.Sprintf("the CAA records of %s have a critical property %q that authorities may not know", p.Domain, p.unknown)
	case !p.bound || slices.ContainsFunc(identities, func(id string) bool { return slices.Contains(p.Signers, strings.ToLower(id)) }):
		return ""
	case len(p.Signers) == 0:
		return fmt.Sprintf("the CAA records of %s let nobody sign", p.Domain)
	}
	return fmt.Sprintf("the CAA records of %s let only %s sign", p.Domain, strings.Join(p.Signers, ", "))
}

// Servers returns those that a resolv.conf(5) file names.
func Servers(file string) ([]string, error) {
	config, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil, err
	}
	servers := make([]string, len(config.Servers))
	for i, server := range config.Servers {
		servers[i] = net.JoinHostPort(server, config.Port)
	}
	return servers, nil
}
