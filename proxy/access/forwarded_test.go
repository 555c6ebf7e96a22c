package access

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fields are the values of the fields in a text that separates them by "|".
func fields(text string) [][]byte {
	var all [][]byte
	if text == "" {
		return nil
	}
	for value := range strings.SplitSeq(text, "|") {
		all = append(all, []byte(value))
	}
	return all
}

func TestClientIsFoundBehindTrustedProxies(t *testing.T) {
	f := NewForwarded(ranges("10.0.0.0/8", "fd00::/8"))
	for _, row := range []struct{ peer, said, want string }{
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"10.0.0.1", "203.0.113.9|10.0.0.2, 10.0.0.3|10.0.0.4", "203.0.113.9"},
		{"10.0.0.1", "203.0.113.9 ,\t10.0.0.2 ", "203.0.113.9"},
		{"10.0.0.1", "203.0.113.9,,|,|", "203.0.113.9"},
		{"10.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
		{"10.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1", "[2001:db8::1]", "2001:db8::1"},
		{"10.0.0.1", "[2001:db8::1]:443, 10.9.9.9:1", "2001:db8::1"},
		{"10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"},
		{"fd00::1", "2001:db8::1, fd00::2", "2001:db8::1"},
		{"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
	} {
		got := f.Client(netip.MustParseAddr(row.peer), fields(row.said))
		assert.Equal(t, row.want, got.String(), "%s says %q", row.peer, row.said)
	}
}

func TestNobodyCanSpeakForAnother(t *testing.T) {
	f := NewForwarded(ranges("10.0.0.0/8"))
	for _, row := range []struct{ peer, said, want string }{
		{"203.0.113.9", "10.0.0.7", "203.0.113.9"},
		{"203.0.113.9", "127.0.0.1|10.0.0.1", "203.0.113.9"},
		{"10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"},
		{"10.0.0.1", "127.0.0.1|203.0.113.9", "203.0.113.9"},
		{"10.0.0.1", "127.0.0.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"10.0.0.1", "127.0.0.1, ::ffff:203.0.113.9", "203.0.113.9"},
		{"::ffff:203.0.113.9", "127.0.0.1", "203.0.113.9"},
	} {
		got := f.Client(netip.MustParseAddr(row.peer), fields(row.said))
		assert.Equal(t, row.want, got.String(), "%s says %q", row.peer, row.said)
	}
}

func TestTheWalkStopsAtWhatIsNoAddress(t *testing.T) {
	f := NewForwarded(ranges("10.0.0.0/8"))
	for _, garbage := range []string{
		"unknown", "_hidden", "localhost", "203.0.113.9;", "203.0.113", "203.0.113.256", "203.0.113.09", "203.0.113.9:", "203.0.113.9:x",
		"203.0.113.9:65536", "203.0.113.9:000080", "[203.0.113.9]", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]443", "[2001:db8::1]:", "[]",
		"fe80::1%eth0", "[fe80::1%1]:80", "2001:db8:::1", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "203.0.113.9 10.0.0.1",
		"::203.0.113.9.1", "203.0.113.9::", "0x7f.1", "\"203.0.113.9\"", ":", "[", "203.0.113.9\x00", "-1.2.3.4", "1:2:3:4:5:6:7::8",
	} {
		got := f.Client(netip.MustParseAddr("10.0.0.1"), fields("127.0.0.1, "+garbage+", 10.0.0.2"))
		assert.Equal(t, "10.0.0.2", got.String(), garbage)
	}
}

func TestNoMoreProxiesAreBelievedThanBounded(t *testing.T) {
	f := NewForwarded(ranges("10.0.0.0/8"))
	chain := func(n int) [][]byte { return fields("127.0.0.1" + strings.Repeat(", 10.0.0.2", n)) }

	assert.Equal(t, "127.0.0.1", f.Client(netip.MustParseAddr("10.0.0.1"), chain(maxHops-1)).String())
	assert.Equal(t, "10.0.0.2", f.Client(netip.MustParseAddr("10.0.0.1"), chain(maxHops)).String())
	assert.Equal(t, "10.0.0.2", f.Client(netip.MustParseAddr("10.0.0.1"), append(fields("127.0.0.1"), chain(maxHops)...)).String())
}

func TestClientAllocatesNothing(t *testing.T) {
	f := NewForwarded(ranges("10.0.0.0/8"))
	peer := netip.MustParseAddr("10.0.0.1")
	for _, said := range []string{"203.0.113.9, 10.0.0.2", "[2001:db8::1]:443|10.0.0.2", "fe80::1%eth0", "garbage that is rather long: ...", "1.2.3.4:x"} {
		values := fields(said)
		assert.Zero(t, testing.AllocsPerRun(100, func() { f.Client(peer, values) }), said)
	}
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.9, 10.0.0.2", "[2001:db8::1]:443", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1::", "10.1.1.1:80,", "fe80::1%1", "::1.2.3.4"} {
		f.Add(seed)
	}
	trusted := ranges("10.0.0.0/8")
	fw, peer := NewForwarded(trusted), netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, said string) {
		got := fw.Client(peer, fields(said))
		assert.True(t, got.IsValid() && got.Zone() == "" && !got.Is4In6())
		assert.Equal(t, "203.0.113.9", fw.Client(peer, fields(said+",203.0.113.9")).String(), "what a client says must not matter")
		assert.Equal(t, peer, fw.Client(peer, nil))
		sameAsTheLibrary(t, said)
	})
}

// sameAsTheLibrary compares what is read of a bare address with netip, which
// reads zones as well.
func sameAsTheLibrary(t *testing.T, text string) {
	t.Helper()
	want, err := netip.ParseAddr(text)
	got, ok := parseIPv6([]byte(text))
	if !strings.Contains(text, ":") {
		var four [4]byte
		four, ok = parseIPv4([]byte(text))
		got = netip.AddrFrom4(four)
	}
	assert.Equal(t, err == nil && want.Zone() == "", ok, "%q", text)
	if ok {
		assert.Equal(t, want.Unmap(), got, "%q", text)
	}
}
