package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestHostHasOneSpelling(t *testing.T) {
	for _, good := range []string{
		"a", "EDGE.test", "track.example.com:443", "a:0", "a:65535", "a:00080", "127.0.0.1", "127.0.0.1:8443", "xn--edge-.test",
		"a.", "-", "[::1]", "[::1]:8443", "[2001:db8::A]", "[::ffff:1.2.3.4]", strings.Repeat("a", 255),
	} {
		assert.True(t, wire.ValidHost([]byte(good)), "%q", good)
	}
	for _, bad := range []string{
		"", ":", ":80", "a:", "a:65536", "a:-1", "a:+1", "a:x", "a:000080", "a:80:80", "a:99999999999999999999",
		"a,b", "a b", "a\tb", "user@a", "a/b", "a?x", "a#x", `a\x`, "a%20", "%61", `"a"`, "<a>", "a_b", "\xc3\xa9dge", "a;b", "a*",
		"[", "]", "[]", "[::1", "::1", "[::1]x", "[::1]:", "[::1]:x", "[::1%eth0]", "[::1%25eth0]", "[1.2.3.4]", "[::g]", "[v1.a]",
		"a[::1]", "[[::1]]", strings.Repeat("a", 256),
	} {
		assert.False(t, wire.ValidHost([]byte(bad)), "%q", bad)
	}
}

func TestSplitHost(t *testing.T) {
	for _, row := range []struct {
		in, name, port string
		ok             bool
	}{
		{"a", "a", "", true}, {"a:80", "a", "80", true}, {"[::1]", "[::1]", "", true}, {"[::1]:80", "[::1]", "80", true},
		{"", "", "", false}, {":80", "", "80", false}, {"a:", "a", "", false}, {"[::1", "", "", false}, {"[::1]a", "", "", false},
	} {
		name, port, ok := wire.SplitHost([]byte(row.in))
		assert.Equal(t, row.ok, ok, "%q", row.in)
		if ok {
			assert.Equal(t, []string{row.name, row.port}, []string{string(name), string(port)}, "%q", row.in)
		}
	}
}
