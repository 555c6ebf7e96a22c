package tlsconf

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// adviceTime is how long it may take to find out why an order may have failed.
const adviceTime = 3 * time.Second

// adviser looks at what an authority may have found, from where the gate is. The world may
// look different from outside, so all of it is advice.
type adviser struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	here   func() []netip.Addr // the addresses of this machine
	dial   func(ctx context.Context, address string) error
}

func newAdviser() adviser {
	return adviser{
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		here: addressesHere,
		dial: func(ctx context.Context, address string) error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err == nil {
				err = conn.Close()
			}
			return err
		},
	}
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

// advice is none where authorities look into the zone instead.
func (m *managed) advice(ctx context.Context, host string) []string {
	if m.settings.DNS.Provider != configs.DNSProvider("") {
		return nil
	}
	return m.adviser.advise(ctx, host, m.doors)
}
