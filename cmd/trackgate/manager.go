package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/health"
	"github.com/trackgate/trackgate/internal/supervisor"
	"github.com/trackgate/trackgate/tlsconf"
)

// goodbye is how long the end may take beside the drain.
const goodbye = lastWords + 5*time.Second

// newManager returns what the program's service manager is told by.
func (s *server) newManager() *supervisor.Supervisor {
	return supervisor.New(supervisor.Options{
		Ready:  s.gate.Ready,
		Status: s.words,
		Probe:  func(ctx context.Context) error { return s.prober.Probe(ctx, s.doors()) },
		Stop:   s.endsWithin,
		Log:    s.log,
	})
}

// settings are those in use now.
func (s *server) settings() *configs.Settings { return s.current.Load().settings }

// endsWithin is how long the end may take.
func (s *server) endsWithin() time.Duration {
	t := s.settings().Timeouts
	return t.Announce + t.Drain + goodbye
}

// words says how the gate is.
func (s *server) words() string {
	backends, up := s.gate.Backends(), 0
	for _, b := range backends {
		if b.State != health.Down.String() {
			up++
		}
	}
	return fmt.Sprintf("serving %s, %d of %s up", count(len(s.settings().Listeners), "listener"), up, count(len(backends), "backend"))
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// doors returns what a probe of the gate asks: each listener for a host of its own.
func (s *server) doors() []supervisor.Door {
	states := map[string]tlsconf.State{}
	for _, state := range s.keeper().States() {
		states[state.Host] = state
	}
	listeners := s.settings().Listeners
	doors := make([]supervisor.Door, len(listeners))
	for i, l := range listeners {
		d := &doors[i]
		*d = supervisor.Door{Listener: l.Name, Address: l.Address, TLS: l.TLS}
		if l.TLS {
			host := probedHost(l.Hosts)
			s.expect(d, states[host], time.Now())
			askFor(d, host)
			d.Refuses = d.Refuses || l.ClientCertificates.CA != ""
		}
	}
	return doors
}

// probedHost returns the first host that SNI can name, else the first.
func probedHost(hosts []string) string {
	named := slices.IndexFunc(hosts, func(host string) bool { return !isAddress(host) })
	return hosts[max(named, 0)]
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// expect sets what is known of the certificate.
func (s *server) expect(d *supervisor.Door, state tlsconf.State, now time.Time) {
	d.Refuses = state.Source == ""
	d.Ended = now.Before(state.NotBefore) || now.After(state.NotAfter)
	if state.Source == string(configs.IssuerInternal) {
		d.Roots = s.keeper().Roots()
	}
}

// askFor sets whom to ask for. A wildcard stands for any label. Without SNI the local
// address says who is meant, so one can only be asked for by coming to it.
func askFor(d *supervisor.Door, host string) {
	d.Host = strings.Replace(host, "*", "watchdog", 1)
	if !isAddress(host) {
		return
	}
	at, port, _ := net.SplitHostPort(d.Address)
	if at == "" {
		d.Address = net.JoinHostPort(host, port)
	}
	d.Refuses = d.Refuses || at != "" && at != host
}
