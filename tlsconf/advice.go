package tlsconf

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/tlsconf/caa"
)

// adviceTime is how long it may take to find out what may keep an order from going well.
const adviceTime = 3 * time.Second

// adviser looks at what an authority will find, from where the gate is. The world may look
// different from outside, so all of it is advice.
type adviser struct {
	lookup     func(ctx context.Context, host string) ([]netip.Addr, error)
	here       func() []netip.Addr // the addresses of this machine
	dial       func(ctx context.Context, address string) error
	policy     func(ctx context.Context, host string) (caa.Policy, error)
	identities func(ctx context.Context, a authorityACME) ([]string, error) // in CAA records
}

// newAdviser asks servers (host:port), or those of the machine.
func newAdviser(servers []string) adviser {
	return adviser{
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return resolver(servers).LookupNetIP(ctx, "ip", host)
		},
		here:       addressesHere,
		dial:       dialAndClose,
		policy:     func(ctx context.Context, host string) (caa.Policy, error) { return findPolicy(ctx, servers, host) },
		identities: identitiesOf,
	}
}

func resolver(servers []string) *net.Resolver {
	if len(servers) == 0 {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, servers[0])
	}}
}

func dialAndClose(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err == nil {
		err = conn.Close()
	}
	return err
}

func findPolicy(ctx context.Context, servers []string, host string) (policy caa.Policy, err error) {
	if len(servers) == 0 {
		servers, err = caa.Servers("/etc/resolv.conf")
	}
	if err != nil {
		return policy, err
	}
	return caa.Find(ctx, servers, host)
}

// identitiesOf asks an authority by which domains it goes in CAA records (RFC 8555 section
// 7.1.1).
func identitiesOf(ctx context.Context, a authorityACME) ([]string, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12},
	}
	client := acme.Client{Directory: a.directory, HTTPClient: &http.Client{Transport: transport}}
	directory, err := client.GetDirectory(ctx)
	if err != nil || directory.Meta == nil {
		return nil, err
	}
	return directory.Meta.CAAIdentities, nil
}

func addressesHere() (here []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			here = append(here, prefix.Addr().Unmap())
		}
	}
	return here
}

// advise says what keeps an authority from coming in to see that host is ours, as far as
// that can be seen from here.
func (a adviser) advise(ctx context.Context, host string, d doors) (advice []string) {
	ctx, cancel := context.WithTimeout(ctx, adviceTime)
	defer cancel()
	addrs, err := a.addresses(ctx, host)
	if err != nil || len(addrs) == 0 {
		return []string{fmt.Sprintf("%s has no address in DNS, as seen from here: an authority cannot find it", host)}
	}
	if here := a.here(); !slices.ContainsFunc(addrs, func(addr netip.Addr) bool { return slices.Contains(here, addr) }) {
		advice = append(advice, fmt.Sprintf("%s leads to %s, which is no address of this machine: right only if something there passes ports on to this gate",
			host, joined(addrs)))
	}
	for port, door := range map[string]string{"80": d.plain, "443": d.secure} {
		if door == "" {
			continue
		}
		address := net.JoinHostPort(addrs[0].String(), port)
		if err := a.dial(ctx, address); err != nil {
			advice = append(advice, fmt.Sprintf("port %s of %s cannot be reached from here (%v): it has to lead to %s", port, host, err, door))
		}
	}
	slices.Sort(advice)
	return advice
}

func (a adviser) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	addrs, err := a.lookup(ctx, host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

func joined(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
	}
	return strings.Join(texts, ", ")
}

// permissions says which of authorities the records of a host's zone keep from signing.
// What cannot be found out is nothing to speak of.
func (a adviser) permissions(ctx context.Context, host string, authorities []authorityACME) (advice []string) {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil // RFC 8659 is about names
	}
	ctx, cancel := context.WithTimeout(ctx, adviceTime)
	defer cancel()
	policy, err := a.policy(ctx, host)
	if err != nil || policy.Domain == "" {
		return nil
	}
	for _, authority := range authorities {
		ids, err := a.identities(ctx, authority)
		if err != nil || len(ids) == 0 {
			continue
		}
		if why := policy.Forbids(ids); why != "" {
			advice = append(advice, fmt.Sprintf("%s, and %s goes by %s", why, authority.name, strings.Join(ids, ", ")))
		}
	}
	return advice
}

// advice says what may keep an order for host from going well. Where authorities look into
// the zone nobody has to come in.
func (m *managed) advice(ctx context.Context, host string) (advice []string) {
	var permissions []string
	var looking sync.WaitGroup
	looking.Go(func() { permissions = m.adviser.permissions(ctx, host, m.authorities) })
	if m.settings.DNS.Provider == configs.DNSProvider("") {
		advice = m.adviser.advise(ctx, host, m.doors)
	}
	looking.Wait()
	return append(advice, permissions...)
}
