package hpack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/trackgate/trackgate/proxy/wire"
)

// What is encoded must be understood by others, and enter nothing into a table.
func TestOthersUnderstandWhatIsEncoded(t *testing.T) {
	theirs := hpack.NewDecoder(TableSize, nil)
	want := []hpack.HeaderField{
		{Name: ":status", Value: "200"}, {Name: "content-type", Value: "application/json"}, {Name: "x-other", Value: strings.Repeat("v", 5000)},
		{Name: strings.Repeat("n", 300), Value: ""}, {Name: "set-cookie", Value: "a=1", Sensitive: true}, {Name: "vary", Value: "Origin"},
	}
	for _, first := range []bool{true, false} {
		var b []byte
		if first {
			b = AppendTableSize(b, 0)
		}
		b = AppendStatus(b, 200)
		for _, f := range want[1:] {
			b = AppendField(b, wire.Lookup([]byte(f.Name)), []byte(f.Name), []byte(f.Value))
		}
		got, err := theirs.DecodeFull(b)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	assert.NotContains(t, string(AppendFieldString(nil, "content-length", []byte("5"))), "content-length", "known names are not spelled out")
}

func TestEveryStatusIsUnderstood(t *testing.T) {
	theirs := hpack.NewDecoder(TableSize, nil)
	for status := 100; status < 1000; status++ {
		got, err := theirs.DecodeFull(AppendStatus(nil, status))
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, ":status", got[0].Name)
		assert.Equal(t, string([]byte{'0' + byte(status/100), '0' + byte(status/10%10), '0' + byte(status%10)}), got[0].Value)
	}
	assert.Len(t, AppendStatus(nil, 404), 1)
	assert.Equal(t, []byte{0x20}, AppendTableSize(nil, 0))
	assert.Equal(t, []byte{0x3f, 0xe1, 0x1f}, AppendTableSize(nil, 4096))
}

func TestStaticNamesAreFound(t *testing.T) {
	for i, f := range staticFields {
		at := indexOf(f[0])
		require.NotZero(t, at)
		assert.Equal(t, f[0], staticFields[at-1][0])
		assert.LessOrEqual(t, int(at), i+1)
	}
	for _, none := range []string{"", "x", "Date", "content-lengt", "content-lengthh"} {
		assert.Zero(t, indexOf(none), none)
	}
}

func FuzzOthersUnderstandWhatIsEncoded(f *testing.F) {
	f.Add("x-a", "b", 200)
	f.Add("set-cookie", "\xff\x00", 503)
	f.Add("", strings.Repeat("v", 400), 100)
	f.Fuzz(func(t *testing.T, name, value string, status int) {
		status = 100 + int(uint(status)%900)
		b := AppendField(AppendStatus(nil, status), wire.Lookup([]byte(name)), []byte(name), []byte(value))
		got, err := hpack.NewDecoder(TableSize, nil).DecodeFull(b)
		require.NoError(t, err)
		require.Len(t, got, 2)
		assert.Equal(t, [2]string{name, value}, [2]string{got[1].Name, got[1].Value})
		var d Decoder
		ours, err := said(&d, b)
		require.NoError(t, err)
		assert.Equal(t, name+": "+value, ours[1])
	})
}
