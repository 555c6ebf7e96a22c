package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

// fields returns a section of the given names and values, in turn.
func fields(lines ...string) *wire.Fields {
	f := new(wire.Fields)
	for i := 0; i < len(lines); i += 2 {
		f.Add(wire.Lookup([]byte(lines[i])), []byte(lines[i]), []byte(lines[i+1]))
	}
	return f
}

// passed returns the names of the fields that are not gone.
func passed(f *wire.Fields) (names []string) {
	for _, field := range f.All() {
		if !field.Gone {
			names = append(names, string(field.Name))
		}
	}
	return names
}

func TestFieldsKeepTheirOrderAndAreFoundByName(t *testing.T) {
	f := fields("host", "a", "x-a", "1", "cookie", "b=1", "x-a", "2", "cookie", "c=2", "cookie", "d=3")

	assert.Equal(t, 6, f.Len())
	assert.Equal(t, []string{"host", "x-a", "cookie", "x-a", "cookie", "cookie"}, passed(f))
	value, ok := f.Get(wire.Cookie)
	assert.True(t, ok)
	assert.Equal(t, "b=1", string(value), "the first")
	for id, n := range map[wire.Name]int{wire.Host: 1, wire.Cookie: 3, wire.Origin: 0, wire.Other: 2} {
		assert.Equal(t, n, f.Count(id))
		assert.Equal(t, n > 0, f.Has(id))
		_, once := f.Once(id)
		assert.Equal(t, n == 1, once)
	}

	f.Reset()
	assert.Zero(t, f.Len())
	assert.False(t, f.Has(wire.Host))
	assert.Zero(t, f.Count(wire.Cookie))
	_, ok = f.Get(wire.Host)
	assert.False(t, ok)
}

func TestDropHops(t *testing.T) {
	for _, row := range []struct {
		what string
		in   *wire.Fields
		want []string
	}{
		{"nothing to drop", fields("host", "a", "accept", "b"), []string{"host", "accept"}},
		{"the hop-by-hop fields",
			fields("host", "a", "connection", "close", "keep-alive", "timeout=1", "te", "gzip", "trailer", "x", "upgrade", "h2c",
				"http2-settings", "AAMAAABk", "proxy-connection", "close", "transfer-encoding", "chunked",
				"proxy-authenticate", "a", "proxy-authorization", "b"),
			[]string{"host"}},
		{"what Connection names, in any case and place",
			fields("x-int", "secret", "connection", "close, X-INT ,\tx-b", "x-b", "1", "x-c", "2"), []string{"x-c"}},
		{"several Connection fields", fields("connection", "x-a", "connection", "x-b", "x-a", "1", "x-b", "2"), nil},
		{"empty elements", fields("connection", ",, ,", "x-a", "1"), []string{"x-a"}},
		{"not what the gate needs itself",
			fields("connection", "host, content-length", "host", "a", "content-length", "1"), []string{"host", "content-length"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			row.in.DropHops()
			assert.Equal(t, row.want, passed(row.in))
		})
	}
}

func TestTokensOfAList(t *testing.T) {
	for _, row := range []struct {
		list string
		want []string
	}{
		{"", nil},
		{"a", []string{"a"}},
		{"a,b", []string{"a", "b"}},
		{" a\t, b ,", []string{"a", "b"}},
		{",,a", []string{"", "", "a"}},
		{"a b", []string{"a b"}},
	} {
		var got []string
		for rest := []byte(row.list); len(rest) > 0; {
			var token []byte
			token, rest = wire.NextToken(rest)
			got = append(got, string(token))
		}
		assert.Equal(t, row.want, got, "%q", row.list)
	}
	assert.True(t, wire.HasToken([]byte("keep-alive, CLOSE"), "close"))
	assert.False(t, wire.HasToken([]byte("closed, not-close"), "close"))
	assert.False(t, wire.HasToken(nil, "close"))
}

func TestEqualFold(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"ChUnKeD", "chunked", true}, {"chunked ", "chunked", false}, {"chunkeD", "chunkex", false},
		{"\x43", "\x63", true}, {"@", "`", false}, {"[", "{", false}, {"\xe2\x84\xaa", "k", false},
	} {
		assert.Equal(t, row.want, wire.EqualFold([]byte(row.a), []byte(row.b)), "%q %q", row.a, row.b)
		assert.Equal(t, row.want, wire.EqualFoldString([]byte(row.a), row.b), "%q %q", row.a, row.b)
	}
}
