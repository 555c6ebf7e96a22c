package tlsconf

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
)

func TestNamesForReverseLookup(t *testing.T) {
	for name, want := range map[string]string{
		"1.2.0.192.in-addr.arpa": "192.0.2.1",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": "2001:db8::1",
		"":                                     "",
		"192.0.2.1":                            "",
		"in-addr.arpa":                         "",
		".in-addr.arpa":                        "",
		"2.0.192.in-addr.arpa":                 "",
		"1.1.2.0.192.in-addr.arpa":             "",
		"256.2.0.192.in-addr.arpa":             "",
		"01.2.0.192.in-addr.arpa":              "",
		"x.2.0.192.in-addr.arpa":               "",
		"1.2.0.192.in-addr.arpa.":              "",
		"1.0.ip6.arpa":                         "",
		"1.2.0.192.in-addr.arpa.test":          "",
		strings.Repeat("10.", 32) + "ip6.arpa": "",
	} {
		addr, ok := reversed(name)
		assert.Equal(t, want != "", ok, name)
		if ok {
			assert.Equal(t, want, addr.String())
		}
	}
}

// What it reads is what miekg/dns writes, and nothing else.
func FuzzReversed(f *testing.F) {
	f.Add("1.2.0.192.in-addr.arpa")
	f.Add("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
	f.Add("1.2.0.192.in-addr.arpa.")
	f.Add("%1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
	f.Fuzz(func(t *testing.T, name string) {
		addr, ok := reversed(strings.ToLower(name))
		if !ok {
			return
		}
		text := addr.String()
		if strings.HasSuffix(name, ".ip6.arpa") && addr.Is4() {
			text = netip.AddrFrom16(addr.As16()).String()
		}
		again, err := dns.ReverseAddr(text)
		if err != nil || !addr.Is4() && again != strings.ToLower(name)+"." {
			t.Fatalf("%q is read as %s, whose name is %q (%v)", name, addr, again, err)
		}
	})
}
