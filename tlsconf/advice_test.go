package tlsconf

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestAdvice(t *testing.T) {
	here, elsewhere := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	both := doors{":80", ":443"}
	for name, row := range map[string]struct {
		host   string
		addrs  []netip.Addr
		closed string // port
		doors  doors
		want   []string
	}{
		"all is well":   {"a.example.com", []netip.Addr{elsewhere, netip.MustParseAddr("::ffff:192.0.2.1")}, "", both, nil},
		"no address":    {"a.example.com", nil, "", both, []string{"a.example.com has no address in DNS, as seen from here: an authority cannot find it"}},
		"an IP address": {"192.0.2.1", nil, "", both, nil},
		"elsewhere": {"a.example.com", []netip.Addr{elsewhere}, "", both, []string{
			"a.example.com leads to 198.51.100.7, which is no address of this machine: right only if something there passes ports on to this gate"}},
		"port 80 is closed": {"a.example.com", []netip.Addr{here}, "80", both, []string{
			"port 80 of a.example.com cannot be reached from here (refused): it has to lead to :80"}},
		"and nobody needs it": {"a.example.com", []netip.Addr{here}, "80", doors{"", ":443"}, nil},
	} {
		a := adviser{
			here:   func() []netip.Addr { return []netip.Addr{here} },
			lookup: func(context.Context, string) ([]netip.Addr, error) { return row.addrs, nil },
			dial: func(_ context.Context, address string) error {
				if row.closed != "" && netip.MustParseAddrPort(address).Port() == 80 {
					return errors.New("refused")
				}
				return nil
			},
		}
		assert.Equal(t, row.want, a.advise(t.Context(), row.host, row.doors), name)
	}
}

func TestTheMachineKnowsItsAddresses(t *testing.T) {
	assert.Contains(t, newAdviser().here(), netip.MustParseAddr("127.0.0.1"))
	assert.Empty(t, newAdviser().advise(t.Context(), "127.0.0.1", doors{}))
}

// What an authority says is not all: what can be seen from here comes with it.
func TestAnOrderThatFailsComesWithAdvice(t *testing.T) {
	l := &log{}
	k, err := New(ordered(t.TempDir()), listening("a.example.com"), l.logger())
	require.NoError(t, err)
	k.managed.adviser.lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	k.managed.orderFailed(t.Context(), "a.example.com", errors.New("connection refused"))
	order := k.States()[0].Order
	require.NotNil(t, order)
	assert.Equal(t, "connection refused", order.Error)
	assert.Equal(t, []string{"a.example.com has no address in DNS, as seen from here: an authority cannot find it"}, order.Advice)
	assert.Contains(t, l.String(), "has no address in DNS")

	k.managed.settings.DNS.Provider = configs.Cloudflare
	assert.Empty(t, k.managed.advice(t.Context(), "a.example.com"))
}
