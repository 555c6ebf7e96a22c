package hpack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
)

func TestEveryByteIsDecodedAtEveryPlace(t *testing.T) {
	for c := range 256 {
		for d := range 256 {
			text := string([]byte{'a', byte(c), byte(d), byte(c)})
			got, ok := appendDecoded([]byte("kept"), hpack.AppendHuffmanString(nil, text))
			require.True(t, ok, "%q", text)
			require.Equal(t, "kept"+text, string(got))
		}
	}
}

func FuzzHuffmanAgreesWithAnother(f *testing.F) {
	f.Add([]byte("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x1f, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, coded []byte) {
		want, err := hpack.HuffmanDecodeToString(coded)
		got, ok := appendDecoded(nil, coded)
		require.Equal(t, err == nil, ok, "%x", coded)
		if ok {
			assert.Equal(t, want, string(got))
		}
	})
}
