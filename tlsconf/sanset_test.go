package tlsconf

import (
	"crypto/x509"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneNameHasToBeAllowed(t *testing.T) {
	hosts := func(names ...string) x509.Certificate { return x509.Certificate{DNSNames: names} }
	mails := func(names ...string) x509.Certificate { return x509.Certificate{EmailAddresses: names} }
	uri := func(text string) x509.Certificate {
		u, err := url.Parse(text)
		require.NoError(t, err)
		return x509.Certificate{URIs: []*url.URL{u}}
	}
	ip := func(text string) x509.Certificate { return x509.Certificate{IPAddresses: []net.IP{net.ParseIP(text)}} }
	for _, test := range []struct {
		allowed string
		cert    x509.Certificate
		in      bool
	}{
		{"a.example.com", hosts("a.example.com"), true},
		{"a.example.com", hosts("x.example.com", "A.Example.COM"), true},
		{"a.example.com", hosts("b.example.com"), false},
		{"a.example.com", hosts("a.example.com."), false},
		{"a.example.com", hosts("a.example.com\x00.evil.org"), false},
		{"a.example.com", hosts("*.example.com"), false},
		{"a.example.com", hosts(), false},
		{"a.example.com", mails("a.example.com"), false},
		{"*.example.com", hosts("a.example.com"), true},
		{"*.example.com", hosts("a.b.example.com"), false},
		{"*.example.com", hosts("example.com"), false},
		{"*.example.com", hosts(".example.com"), false},
		{"*.example.com", hosts("*.example.com"), false},
		{"*.example.com", hosts("a.notexample.com"), false},
		{"10.0.0.7", ip("10.0.0.7"), true},
		{"10.0.0.7", ip("10.0.0.8"), false},
		{"10.0.0.7", hosts("10.0.0.7"), false},
		{"2001:db8::1", ip("2001:db8:0::1"), true},
		{"Ops@example.com", mails("Ops@EXAMPLE.com"), true},
		{"Ops@example.com", mails("ops@example.com"), false},
		{"Ops@example.com", hosts("Ops@example.com"), false},
		{"spiffe://example.com/a", uri("spiffe://example.com/a"), true},
		{"spiffe://example.com/a", uri("spiffe://example.com/a/b"), false},
		{"spiffe://example.com/a", uri("spiffe://example.com/a?b"), false},
		{"spiffe://example.com/a", uri("spiffe://Example.com/a"), false},
		{"spiffe://example.com/a", uri("spiffe://example.com/%61"), false},
	} {
		set, err := newSANSet([]string{test.allowed})
		require.NoError(t, err)
		require.Equal(t, test.in, set.admits(&test.cert), "%s: %v %v", test.allowed, test.cert.DNSNames, test.cert.EmailAddresses)
	}
}

func TestWithoutAnAllowedNameNobodyComesIn(t *testing.T) {
	g := newGuarded(t, required("*.clients.example.com"))
	eachVersion(t, func(t *testing.T, version uint16) {
		allowed := wanted{sans: x509.Certificate{DNSNames: []string{"a.clients.example.com"}}}
		g.ok(t, g.shows(version, g.ca.clientOf(t, allowed)))
		for _, sans := range []x509.Certificate{{}, {DNSNames: []string{"client", "a.example.com"}}} {
			g.turnedAway(t, g.shows(version, g.ca.clientOf(t, wanted{sans: sans})), "bad certificate", "client_certificate_name")
		}
	})
}

// A host in a certificate comes in only if it is the allowed name, or the allowed
// wildcard's with one label in front, whatever its bytes are.
func FuzzAllowedHost(f *testing.F) {
	for _, seed := range []string{"a.example.com", "B.C.example.com", "*.c.example.com", ".c.example.com", "x\x00.c.example.com", ""} {
		f.Add(seed)
	}
	set, err := newSANSet([]string{"a.example.com", "*.c.example.com"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, host string) {
		label, found := strings.CutSuffix(asciiLower(host), ".c.example.com")
		want := asciiLower(host) == "a.example.com" || found && label != "" && !strings.ContainsAny(label, ".*")
		if got := set.admits(&x509.Certificate{DNSNames: []string{host}}); got != want {
			t.Errorf("%q comes in: %v", host, got)
		}
	})
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
