package configs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestSANsAreReadByTheirLook(t *testing.T) {
	for text, want := range map[string]configs.SAN{
		"Client.Example.com":          {Kind: configs.DNSName, Value: "client.example.com"},
		"*.clients.example.com":       {Kind: configs.DNSName, Value: "*.clients.example.com"},
		"a_b":                         {Kind: configs.DNSName, Value: "a_b"},
		"10.0.0.7":                    {Kind: configs.IPName, Value: "10.0.0.7"},
		"::ffff:10.0.0.7":             {Kind: configs.IPName, Value: "10.0.0.7"},
		"2001:DB8::1":                 {Kind: configs.IPName, Value: "2001:db8::1"},
		"Ops@Example.com":             {Kind: configs.EmailName, Value: "Ops@example.com"},
		"spiffe://example.com/a/b":    {Kind: configs.URIName, Value: "spiffe://example.com/a/b"},
		"urn:uuid:f81d4fae-7dec-11d0": {Kind: configs.URIName, Value: "urn:uuid:f81d4fae-7dec-11d0"},
	} {
		got, ok := configs.ParseSAN(text)
		require.True(t, ok, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "*", "*.*.example.com", "a.*.example.com", "a*.example.com", "example.com.", "a b", "10.0.0.256", "fe80::1%eth0",
		"@example.com", "a@", "a@b@example.com", "a@10.0.0.1", "a\x00@example.com", "a\x00.example.com", "spiffe://",
		"https://user@example.com/", "spiffe://exa mple.com", "CN=client", "example.com:443",
	} {
		_, ok := configs.ParseSAN(text)
		require.False(t, ok, "%q", text)
	}
}

// What is read is read again as the same, so that settings have one spelling.
func FuzzSAN(f *testing.F) {
	for _, seed := range []string{"a.example.com", "*.example.com", "Ops@Example.com", "::1", "spiffe://a/%41", "urn:a:b", "a@b@c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, ok := configs.ParseSAN(text)
		if !ok {
			return
		}
		again, ok := configs.ParseSAN(name.Value)
		if !ok || again != name {
			t.Errorf("%q is %v, which is %v (%v)", text, name, again, ok)
		}
	})
}
