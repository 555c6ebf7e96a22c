package configs_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func listenersOf(hosts ...string) []configs.Listener {
	listeners := make([]configs.Listener, len(hosts))
	for i, list := range hosts {
		listeners[i].Hosts = strings.Fields(list)
	}
	return listeners
}

func TestANameFindsItsListener(t *testing.T) {
	hosts := configs.NewHosts(listenersOf(
		"track.example.com *.example.com 10.0.0.1",
		"gui.example.com *.gui.example.com 2001:db8::1",
		"Upper.Example.org",
	))
	long := strings.Repeat("a.", 126) + "example.com"
	for name, wanted := range map[string]int{
		"track.example.com":   0,
		"TRACK.Example.COM":   0,
		"other.example.com":   0,
		"Other.example.com":   0,
		"a_b-1.example.com":   0,
		"gui.example.com":     1, // exact before wildcard
		"a.gui.example.com":   1,
		"upper.example.org":   2,
		"10.0.0.1":            0,
		"2001:db8::1":         1,
		"[2001:db8::1]":       1,
		"[2001:DB8:0::1]":     1,
		"example.com":         -1,
		"a.b.example.com":     -1, // one label only
		".example.com":        -1,
		"a..example.com":      -1,
		"track.example.com.":  -1,
		"other.example.com.":  -1,
		"*.example.com":       -1,
		"a b.example.com":     -1,
		"a%2e.example.com":    -1,
		"ä.example.com":       -1,
		"a\x00.example.com":   -1,
		"example.net":         -1,
		"track.example.com:1": -1,
		"10.0.0.2":            -1,
		"10.0.0.01":           -1,
		"::ffff:10.0.0.1":     -1,
		"[10.0.0.1]":          -1,
		"[2001:db8::1":        -1,
		"2001:db8::1%eth0":    -1,
		"[]":                  -1,
		".":                   -1,
		long:                  -1,
	} {
		i, ok := hosts.Find(name, netip.Addr{})
		require.Equal(t, wanted >= 0, ok, name)
		if ok {
			require.Equal(t, wanted, i, name)
		}
	}
}

func TestWithoutANameTheLocalAddressDecides(t *testing.T) {
	hosts := configs.NewHosts(listenersOf("a.example.com 10.0.0.1 2001:db8::1", "b.example.com 10.0.0.2", "10.0.0.3", "10.0.0.3"))
	for local, wanted := range map[string]int{
		"10.0.0.1":        0,
		"::ffff:10.0.0.1": 0, // how a socket for both families tells it
		"2001:db8::1":     0,
		"10.0.0.2":        1,
		"10.0.0.3":        -1, // two listeners name it
		"10.0.0.4":        -1,
	} {
		i, ok := hosts.Find("", netip.MustParseAddr(local))
		require.Equal(t, wanted >= 0, ok, local)
		if ok {
			require.Equal(t, wanted, i, local)
		}
	}
	_, ok := hosts.Find("", netip.Addr{})
	require.False(t, ok)
}

func TestAListenerWithoutHostsTakesTheOtherNames(t *testing.T) {
	hosts := configs.NewHosts(listenersOf("a.example.com", ""))

	for name, wanted := range map[string]int{"a.example.com": 0, "b.example.com": 1, "10.0.0.1": 1, "[::1]": 1} {
		i, ok := hosts.Find(name, netip.Addr{})
		require.True(t, ok, name)
		require.Equal(t, wanted, i, name)
	}
	for _, name := range []string{"", "b.example.com.", "a b", "..", "1.2.3.4.5", "fe80::1%eth0"} {
		_, ok := hosts.Find(name, netip.MustParseAddr("10.0.0.1"))
		require.False(t, ok, name)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	hosts := configs.NewHosts(listenersOf("track.example.com *.example.com", "10.0.0.1 2001:db8::1"))
	local := netip.MustParseAddr("::ffff:10.0.0.1")
	for _, name := range []string{"track.example.com", "Track.Example.com", "a.example.com", "none.example.org",
		"track.example.com.", "10.0.0.1", "[2001:db8::1]", ""} {
		require.Zero(t, testing.AllocsPerRun(100, func() { hosts.Find(name, local) }), name)
	}
}

// Find agrees with a slow reading of the rules for names.
func FuzzHosts(f *testing.F) {
	for _, name := range []string{"", "track.example.com", "TRACK.example.com", "a.example.com.", "*.example.com", "a.b.example.com"} {
		f.Add(name)
	}
	hosts := configs.NewHosts(listenersOf("track.example.com", "*.example.com"))
	wild := regexp.MustCompile(`^[a-z0-9_-]+\.example\.com$`)
	f.Fuzz(func(t *testing.T, name string) {
		small := name
		for c := 'A'; c <= 'Z'; c++ {
			small = strings.ReplaceAll(small, string(c), string(c+32))
		}
		wanted := -1
		switch {
		case small == "track.example.com":
			wanted = 0
		case wild.MatchString(small) && len(small) <= 253:
			wanted = 1
		}
		i, ok := hosts.Find(name, netip.Addr{})
		require.Equal(t, wanted >= 0, ok)
		require.True(t, !ok || i == wanted)
	})
}
