package configs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	for text, wanted := range map[string]Size{
		"0": 0, "1": 1, "512B": 512, "1KiB": 1024, "1kB": 1000, "2MiB": 2 << 20, "2MB": 2e6, "3GiB": 3 << 30, "3GB": 3e9,
		"9223372036854775807": 1<<63 - 1, "8589934591GiB": 8589934591 << 30,
		"": -1, "B": -1, "-1": -1, "+1": -1, "1.5MiB": -1, "1 MiB": -1, "1mb": -1, "1KB": -1, "0x10": -1, "1_000": -1,
		"8589934592GiB": -1, "9223372036854775808": -1,
	} {
		size, ok := parseSize(text)
		require.Equal(t, wanted >= 0, ok, text)
		if ok {
			require.Equal(t, wanted, size, text)
		}
	}
}

func TestSizesArePrintedInWholeUnits(t *testing.T) {
	for wanted, size := range map[string]Size{
		"0": 0, "1B": 1, "500B": 500, "1kB": 1000, "1KiB": 1024, "1MiB": MiB, "10MB": 10e6, "1025B": 1025, "16GiB": 16 * GiB, "-1": -1,
	} {
		require.Equal(t, wanted, size.String())
	}
}

func TestDurations(t *testing.T) {
	const bad = -1
	for text, wanted := range map[string]time.Duration{
		"0": 0, "0s": 0, "500ms": 500 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "2h": 2 * time.Hour,
		"1h30m": 90 * time.Minute, "180d": 180 * day, "1d12h": 36 * time.Hour, "0d": 0,
		"": bad, "5": bad, "d": bad, "-1d": bad, "1.5d": bad, "1d1d": bad, "1d-1h": bad, "1d+1h": bad, "1d5": bad, "1d24h": bad,
		"12h1d": bad, "+1s": bad, "1w": bad, "99999999d": bad, "9999999h": bad,
	} {
		d, ok := parseDuration(text)
		require.Equal(t, wanted >= 0, ok, text)
		if ok {
			require.Equal(t, wanted, d, text)
		}
	}
}

func TestKeysAreFieldsInSnakeCase(t *testing.T) {
	for field, key := range map[string]string{
		"Name": "name", "TLS": "tls", "HTTP2": "http2", "ClientIPHeader": "client_ip_header", "BasePath": "base_path",
		"MaxAge": "max_age", "ConnectionsPerClient": "connections_per_client", "URL": "url", "CA": "ca",
	} {
		require.Equal(t, key, keyOf(field))
	}
}

func TestWhatWasMeant(t *testing.T) {
	choices := []string{"address", "hosts", "tls", "http2", "base_path", "client_ip_header"}
	for word, wanted := range map[string]string{
		"adress": "address", "Address": "address", "addresss": "address", "adderss": "address", "host": "hosts",
		"base-path": "base_path", "client_ip": "client_ip_header", "tsl": "tls",
		"": "", "x": "", "port": "", "tls": "", "completely_else": "",
	} {
		require.Equal(t, wanted, nearest(word, choices), word)
	}
}

func TestEditsAreCounted(t *testing.T) {
	for _, row := range []struct {
		a, b string
		d    int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "axc", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3}} {
		require.Equal(t, row.d, edits(row.a, row.b), "%s %s", row.a, row.b)
	}
}

func TestUsersOfURLsAreNotShown(t *testing.T) {
	require.Equal(t, "http://…@a/x", withoutUser("http://me:secret@a/x"))
	require.Equal(t, "http://…@a", withoutUser("http://me:sec@ret@a"))
	require.Equal(t, "a@b", withoutUser("a@b"))
}
