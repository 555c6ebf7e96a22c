package configs

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDNSServersAreAddresses(t *testing.T) {
	for written, server := range map[string]string{
		"10.0.0.2": "10.0.0.2:53", "10.0.0.2:5353": "10.0.0.2:5353", "2001:DB8::2": "[2001:db8::2]:53", "[2001:db8::2]": "[2001:db8::2]:53",
		"[2001:db8::2]:5353": "[2001:db8::2]:5353", "::ffff:10.0.0.2": "10.0.0.2:53", "[::ffff:10.0.0.2]:53": "10.0.0.2:53",
		"": "", "ns.example": "", "ns.example:53": "", "10.0.0.2:": "", "10.0.0.2:0": "", "10.0.0.2:053": "", "10.0.0.2:65536": "", ":53": "",
		"[10.0.0.2]:": "", "0.0.0.0": "", "[::]:53": "", "::ffff:0.0.0.0": "", "fe80::1%eth0": "", "[fe80::1%eth0]:53": "",
	} {
		read, ok := parseServer(written)
		require.Equal(t, server != "", ok, written)
		if ok {
			require.Equal(t, server, read)
		}
	}
}

func FuzzDNSServer(f *testing.F) {
	for _, seed := range []string{"10.0.0.2", "10.0.0.2:53", "[2001:db8::2]:53", "2001:db8::2", "fe80::1%eth0", "ns.example:53", "[10.0.0.2]:53"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		server, ok := parseServer(written)
		if !ok {
			return
		}
		addr, err := netip.ParseAddrPort(server)
		require.NoError(t, err)
		require.True(t, addr.Port() > 0 && reachable(addr.Addr()), server)
		again, ok := parseServer(server)
		require.True(t, ok)
		require.Equal(t, server, again)
	})
}
