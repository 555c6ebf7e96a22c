package hpack

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
)

// line is a field as both decoders tell it.
type line struct{ name, value string }

// ours decodes blocks one after the other, until one is refused.
func ours(blocks [][]byte) (all [][]line, err error) {
	all = [][]line{}
	var d Decoder
	for _, b := range blocks {
		d.Begin(b)
		var lines []line
		var arena []byte
		for {
			var f Field
			if arena, err = d.Next(&f, arena); err != nil {
				break
			}
			lines = append(lines, line{string(f.Name), string(f.Value)})
		}
		if err != io.EOF {
			return all, err
		}
		all = append(all, lines)
	}
	return all, nil
}

// theirs does the same with x/net's decoder.
func theirs(blocks [][]byte) (all [][]line, err error) {
	all = [][]line{}
	d := hpack.NewDecoder(TableSize, nil)
	for _, b := range blocks {
		fields, err := d.DecodeFull(b)
		if err != nil {
			return all, err
		}
		var lines []line
		for _, f := range fields {
			lines = append(lines, line{f.Name, f.Value})
		}
		all = append(all, lines)
	}
	return all, nil
}

// Whatever is sent, both decoders understand the same: where ours refuses a block that
// x/net's takes, that is for a rule which x/net does not check.
func FuzzDecoderAgreesWithAnother(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, len(seed)/2)
	}
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		cut = int(uint(cut) % uint(len(text)+1))
		blocks := [][]byte{text[:cut], text[cut:]}
		got, err := ours(blocks)
		want, theirErr := theirs(blocks)
		switch {
		case err == nil:
			require.NoError(t, theirErr)
			require.Equal(t, want, got)
		case errors.Is(err, errUpdate) || theirErr == nil:
			require.ErrorIs(t, err, errUpdate)
			require.Equal(t, want[:len(got)], got)
		default:
			require.Equal(t, want, got)
		}
	})
}

// seeds are blocks of x/net's encoder, and broken ones.
func seeds() [][]byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for range 3 {
		for _, f := range []line{{":method", "POST"}, {":path", "/track?a=b"}, {"user-agent", "Mozilla/5.0 (X11)"}, {"x-a", "\x00\xff"}, {"cookie", "a=1"}} {
			e.WriteField(hpack.HeaderField{Name: f.name, Value: f.value, Sensitive: f.name == "cookie"}) //nolint:errcheck // a buffer
		}
	}
	return [][]byte{
		b.Bytes(), {0x20, 0x3f, 0xe1, 0x1f, 0x82}, {0x82, 0x20}, {0x20, 0x20, 0x20}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0x40, 0x01, 'a', 0x01, 'b', 0xbe}, {0x80}, {0x00, 0x82, 0xff, 0xff, 0x00}, {0x3f, 0xe2, 0x1f},
	}
}
