package hpack

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2/hpack"

	"github.com/trackgate/trackgate/proxy/wire"
)

// browser is what Chromium says of a POST, first and then again.
func browser() (first, again []byte) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	say := func() []byte {
		b.Reset()
		for _, f := range [][2]string{
			{":method", "POST"}, {":authority", "track.example.com"}, {":scheme", "https"}, {":path", "/track"},
			{"content-length", "995"}, {"sec-ch-ua-platform", `"Linux"`},
			{"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"},
			{"content-type", "application/json"}, {"accept", "*/*"}, {"origin", "https://shop.example"}, {"sec-fetch-site", "cross-site"},
			{"sec-fetch-mode", "cors"}, {"sec-fetch-dest", "empty"}, {"referer", "https://shop.example/"},
			{"accept-encoding", "gzip, deflate, br, zstd"}, {"accept-language", "en-US,en;q=0.9"}, {"priority", "u=1, i"},
		} {
			e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) //nolint:errcheck // a buffer
		}
		return bytes.Clone(b.Bytes())
	}
	return say(), say()
}

// decodeAll decodes a block into arena and returns it.
func decodeAll(d *Decoder, b, arena []byte) ([]byte, error) {
	var err error
	var f Field
	for d.Begin(b); err == nil; {
		arena, err = d.Next(&f, arena)
	}
	return arena, err
}

func answerHead(dst []byte) []byte {
	dst = AppendStatus(dst, 200)
	dst = AppendField(dst, wire.ContentType, []byte("content-type"), []byte("application/json"))
	dst = AppendField(dst, wire.Date, []byte("date"), []byte("Tue, 24 Nov 2026 16:59:15 GMT"))
	dst = AppendFieldString(dst, "access-control-allow-origin", []byte("https://shop.example"))
	dst = AppendFieldString(dst, "access-control-allow-credentials", []byte("true"))
	dst = AppendFieldString(dst, "vary", []byte("Origin"))
	return AppendFieldString(dst, "content-length", []byte("258"))
}

func TestAWarmConnectionAllocatesNothing(t *testing.T) {
	first, again := browser()
	var d Decoder
	arena, out := make([]byte, 0, 4096), make([]byte, 0, 4096)
	decodeAll(&d, first, arena) //nolint:errcheck // as below
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		decodeAll(&d, again, arena) //nolint:errcheck // it ends with io.EOF
		answerHead(out)
	}))
}

// Literals that are entered move what is in the table now and then, in place.
func TestAFullTableAllocatesNothing(t *testing.T) {
	var d Decoder
	arena := make([]byte, 0, 4096)
	b := []byte{0x40, 4, 'n', 'a', 'm', 'e', 60}
	b = append(b, make([]byte, 60)...)
	for range 200 {
		decodeAll(&d, b, arena) //nolint:errcheck // as below
	}
	assert.Zero(t, testing.AllocsPerRun(500, func() {
		decodeAll(&d, b, arena) //nolint:errcheck // it ends with io.EOF
	}))
}

// What a connection keeps for the next request of its browser.
func TestABrowsersConnectionKeepsLittle(t *testing.T) {
	first, again := browser()
	var d Decoder
	decodeAll(&d, first, nil) //nolint:errcheck // it ends with io.EOF
	decodeAll(&d, again, nil) //nolint:errcheck // as above
	assert.LessOrEqual(t, cap(d.table.bytes)+12*cap(d.table.entries), 1600)
	assert.Zero(t, cap(new(Decoder).table.bytes))
}

func BenchmarkDecodeFirst(b *testing.B) {
	first, _ := browser()
	arena := make([]byte, 0, 4096)
	for b.Loop() {
		var d Decoder
		decodeAll(&d, first, arena) //nolint:errcheck // it ends with io.EOF
	}
}

func BenchmarkDecodeAgain(b *testing.B) {
	first, again := browser()
	var d Decoder
	arena := make([]byte, 0, 4096)
	decodeAll(&d, first, arena) //nolint:errcheck // as below
	for b.Loop() {
		decodeAll(&d, again, arena) //nolint:errcheck // it ends with io.EOF
	}
}

func BenchmarkDecodeAgainByAnother(b *testing.B) {
	first, again := browser()
	d := hpack.NewDecoder(TableSize, func(hpack.HeaderField) {})
	d.Write(first) //nolint:errcheck // as below
	for b.Loop() {
		d.Write(again) //nolint:errcheck // it is a good block
		d.Close()      //nolint:errcheck // as above
	}
}

func BenchmarkEncode(b *testing.B) {
	out := make([]byte, 0, 4096)
	for b.Loop() {
		answerHead(out)
	}
}
