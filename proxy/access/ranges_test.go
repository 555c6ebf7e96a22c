package access

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func ranges(prefixes ...string) Ranges {
	var all []netip.Prefix
	for _, p := range prefixes {
		all = append(all, netip.MustParsePrefix(p))
	}
	return NewRanges(all)
}

func TestRangesContain(t *testing.T) {
	r := ranges("10.0.0.0/8", "10.1.0.0/16", "203.0.113.7/32", "2001:db8::/32", "::ffff:192.0.2.0/120", "fe80::/10", "198.51.100.9/24")
	for addr, want := range map[string]bool{
		"10.0.0.0":               true,
		"10.255.255.255":         true,
		"10.1.2.3":               true,
		"::ffff:10.1.2.3":        true,
		"9.255.255.255":          false,
		"11.0.0.0":               false,
		"203.0.113.7":            true,
		"203.0.113.6":            false,
		"203.0.113.8":            false,
		"192.0.2.255":            true,
		"::ffff:192.0.2.1":       true,
		"192.0.3.0":              false,
		"198.51.100.0":           true,
		"2001:db8:ffff::1":       true,
		"2001:db9::":             false,
		"::10.0.0.1":             false,
		"::":                     false,
		"fe80::1%eth0":           true,
		"64:ff9b::10.0.0.1":      false,
		"255.255.255.255":        false,
		"ffff:ffff:ffff:ffff::1": false,
	} {
		assert.Equal(t, want, r.Contains(netip.MustParseAddr(addr)), addr)
	}
	assert.False(t, r.Contains(netip.Addr{}))
}

func TestRangesOfNothingHoldNothing(t *testing.T) {
	for _, r := range []Ranges{{}, NewRanges(nil), NewRanges([]netip.Prefix{{}})} {
		assert.False(t, r.Contains(netip.MustParseAddr("127.0.0.1")))
		assert.False(t, r.Contains(netip.Addr{}))
	}
}

func TestAllOfOneFamilyIsNoneOfTheOther(t *testing.T) {
	four, six := ranges("0.0.0.0/0"), ranges("::/0")
	for addr, isFour := range map[string]bool{"0.0.0.0": true, "255.255.255.255": true, "::ffff:1.2.3.4": true, "::": false, "::1": false} {
		assert.Equal(t, isFour, four.Contains(netip.MustParseAddr(addr)), addr)
		assert.Equal(t, !isFour, six.Contains(netip.MustParseAddr(addr)), addr)
	}
}

func TestRangesAgreeWithPrefixes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	addr := func() netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], random.Uint32N(1<<16))
		return netip.AddrFrom4(b)
	}
	for range 50 {
		var prefixes []netip.Prefix
		for range 30 {
			prefixes = append(prefixes, netip.PrefixFrom(addr(), 20+random.IntN(13)))
		}
		r := NewRanges(prefixes)
		for range 200 {
			a, want := addr(), false
			for _, p := range prefixes {
				want = want || p.Contains(a)
			}
			assert.Equal(t, want, r.Contains(a), "%s in %s", a, prefixes)
		}
	}
}

// many returns n prefixes that do not touch.
func many(n int) Ranges {
	var all []netip.Prefix
	for i := range n {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 7), byte(i << 1), 0}), 24))
	}
	return NewRanges(all)
}

func TestContainsAllocatesNothing(t *testing.T) {
	r := many(10_000)
	addrs := []netip.Addr{netip.MustParseAddr("10.3.4.5"), netip.MustParseAddr("::ffff:10.3.4.5"), netip.MustParseAddr("2001:db8::1")}
	assert.True(t, r.Contains(addrs[0]))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, a := range addrs {
			r.Contains(a)
		}
	}))
}

func BenchmarkContains(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, addr := many(n), netip.MustParseAddr("10.3.4.5")
			for b.Loop() {
				r.Contains(addr)
			}
		})
	}
}
