package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

// asker puts questions to servers.
type asker struct {
	servers  []string // host:port
	attempts int      // how often each is asked
	timeout  time.Duration
}

// reply is an answer and who gave it.
type reply struct {
	answer
	server string
}

// ask returns the first reply that settles the question, be it that there is no
// such name. The error says of each server what was wrong with it at last.
func (a asker) ask(ctx context.Context, fqdn string, kind uint16) (reply, error) {
	var failed error
	for range a.attempts {
		failed = nil
		for _, server := range a.servers {
			m, err := a.askOne(ctx, server, fqdn, kind)
			if err == nil {
				return reply{read(m), server}, nil
			}
			if ctx.Err() != nil {
				return reply{}, ctx.Err()
			}
			failed = also(failed, err)
		}
	}
	return reply{}, failed
}

// askOne asks one server once: over UDP, and over TCP what is too long for it.
func (a asker) askOne(ctx context.Context, server, fqdn string, kind uint16) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	m, err := exchange(ctx, "udp", server, query(fqdn, kind))
	if err == nil && m.Truncated {
		m, err = exchange(ctx, "tcp", server, query(fqdn, kind))
	}
	if err != nil {
		return nil, a.explain(server, err)
	}
	if fault := fault(m); fault != "" {
		return nil, fmt.Errorf("%s from %s", fault, server)
	}
	return m, nil
}

// explain leaves out of a network error what differs each time (our port), so
// that the same failure reads the same.
func (a asker) explain(server string, err error) error {
	var odd *oddAnswer
	var network net.Error
	switch {
	case errors.As(err, &odd):
		return fmt.Errorf("no good answer from %s: %w", server, err)
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("no answer from %s within %v", server, a.timeout)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("asking %s: %w", server, err)
}

// fault says what keeps m from settling anything, if something does.
func fault(m *dns.Msg) string {
	settled := m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
	switch {
	case m.Truncated:
		return "an answer too long for TCP"
	case !settled && dns.RcodeToString[m.Rcode] != "":
		return dns.RcodeToString[m.Rcode]
	case !settled:
		return fmt.Sprintf("rcode %d", m.Rcode)
	case len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable:
		return "a referral"
	}
	return ""
}

// also adds what went wrong too.
func also(err, too error) error {
	switch {
	case err == nil:
		return too
	case too == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, too)
}
