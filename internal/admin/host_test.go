package admin

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzHost asks a second parser: whatever a browser could have sent as Host
// and is allowed, is an IP literal or one of the names.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{
		"localhost", "127.0.0.1:9180", "[::1]:80", "[::1", "::1]", "[[::1]]", "evil.example", "[localhost]:1", "a@127.0.0.1", "[fe80::1%25evil]", "",
	} {
		f.Add(seed)
	}
	allowed := hostsOf("gate.internal:9180")
	f.Fuzz(func(t *testing.T, field string) {
		page, err := url.Parse("http://" + field)
		if err != nil || page.User != nil || page.Host != field || !allowed.allow(field) {
			return
		}
		_, notIP := netip.ParseAddr(page.Hostname())
		named := slices.Contains([]string{"localhost", "gate.internal"}, strings.ToLower(page.Hostname()))
		assert.True(t, notIP == nil || named, "%q is %q", field, page.Hostname())
	})
}
