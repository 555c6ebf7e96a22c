package configs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBackendsAreWrittenAsTheyAreRead(t *testing.T) {
	for written, url := range map[string]string{
		"http://10.0.0.11":                  "http://10.0.0.11:80",
		"https://10.0.0.11":                 "https://10.0.0.11:443",
		"https://BE.example:8443":           "https://be.example:8443",
		"http://[2001:DB8::1]":              "http://[2001:db8::1]:80",
		"https://[::ffff:10.0.0.1]:1":       "https://10.0.0.1:1",
		"dns+http://be-public-svc":          "dns+http://be-public-svc:80",
		"dns+https://BE.example.":           "dns+https://be.example.:443",
		"dns+http://be_public.example:8585": "dns+http://be_public.example:8585",
		"srv+http://_HTTP._tcp.be.example":  "srv+http://_http._tcp.be.example",
		"srv+https://_a._b.c.":              "srv+https://_a._b.c.",
	} {
		b, ok := parseBackend(written)
		require.True(t, ok, written)
		require.Equal(t, url, b.URL())
	}
}

func TestWhatIsNoBackend(t *testing.T) {
	for _, written := range []string{
		"", "http", "http://", "https://:443", "HTTP://a", "+http://a", "http+://a", "dns+ftp://a", "tcp+http://a", "dns+srv+http://a",
		"http://a.", "http://0.0.0.0", "http://[fe80::1%25eth0]", "https://a:65536", "https://a:080",
		"dns+http://.", "dns+http://a..", "dns+http://a:", "dns+http://10.0.0.1", "dns+http://[::1]:80", "dns+http://::1", "dns+http://_a._tcp.b",
		"srv+http://", "srv+http://a", "srv+http://_a", "srv+http://_a._b", "srv+http://_a._b.", "srv+http://_._b.c", "srv+http://_a.b.c",
		"srv+http://a._b.c", "srv+http://_a._b.c:80", "srv+http://_a._b.10.0.0.1", "srv+http://_a._b.c/x", "srv+http://_a._b..c",
	} {
		_, ok := parseBackend(written)
		require.False(t, ok, written)
	}
}

// What is taken can be written so that it is read as the same again, and what is
// proposed instead of a mistake is none.
func FuzzBackendURL(f *testing.F) {
	for _, seed := range []string{
		"http://10.0.0.11:8686", "https://[2001:db8::1]", "dns+http://be-public-svc:80", "dns+https://be.example.", "10.0.0.11", "dns://a",
		"srv+http://_http._tcp.be.example", "srv+http://_http._tcp.be.example:80", "srv+http://10.0.0.1", "http+dns://a/b", "http://[::ffff:1.2.3.4]:1",
		"dns+http://_a._b.c:1", "http://me:secret@a?x#y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		b, ok := parseBackend(written)
		if !ok {
			if likely := likelyBackend(written); likely != "" {
				_, ok := parseBackend(likely)
				require.True(t, ok, "%s is proposed for %s", likely, written)
			}
			return
		}
		again, ok := parseBackend(b.URL())
		require.True(t, ok, b.URL())
		require.Equal(t, b, again)
	})
}
