package h1

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

// unchunked decodes coded in parts that end at the given places, and at its end.
// It returns the data and what stands behind the body.
func unchunked(c *Chunks, coded string, ends ...int) (data, rest string, err error) {
	dst, src := make([]byte, 7), []byte(coded)
	var all []byte
	from := 0
	for _, end := range append(ends, len(coded)) {
		for from < end && !c.Done() {
			n, used, err := c.Decode(dst, src[from:end])
			if all = append(all, dst[:n]...); err != nil {
				return string(all), "", err
			}
			from += used
		}
	}
	if !c.Done() {
		err = wire.ErrShort
	}
	return string(all), coded[from:], err
}

func TestChunksThatAreRead(t *testing.T) {
	for _, row := range []struct {
		coded, data, rest string
		trailers          []string
	}{
		{"0\r\n\r\n", "", "", nil},
		{"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", "", nil},
		{"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "", nil},
		{"a\r\n0123456789\r\n0\r\n\r\nGET / HTTP", "0123456789", "GET / HTTP", nil},
		{"0005\r\nhello\r\n000\r\n\r\n", "hello", "", nil},
		{"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "", nil},
		{"5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", "hello", "", nil},
		{"5;a=\"b\\\"c\";d=\\\r\nhello\r\n0;x=\"\"\r\n\r\n", "hello", "", nil},
		{"5;\t \r\nhello\r\n0;\r\n\r\n", "hello", "", nil},
		{"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", "", nil},
		{"1;" + strings.Repeat("a", 256) + "\r\nx\r\n0\r\n\r\n", "x", "", nil},
		{strings.Repeat("1\r\na\r\n", 2000) + "0\r\n\r\n", strings.Repeat("a", 2000), "", nil},
		{"5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-B:\r\n\r\nrest", "hello", "rest", []string{"x-sum: 1", "x-b: "}},
		{"0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: b\r\nX-A: 1\r\nAuthorization: b\r\n\r\n", "", "",
			[]string{"(content-length: 9)", "(transfer-encoding: chunked)", "(host: b)", "x-a: 1", "(authorization: b)"}},
		{"0\r\nX_A: 1\r\nX.B: 2\r\nX-C: caf\xe9\r\nX-D: caf\xc3\xa9\r\nX-Forwarded-For: 1\r\n\r\n", "", "",
			[]string{"(x_a: 1)", "(x.b: 2)", "(x-c: caf\xe9)", "x-d: caf\xc3\xa9", "(x-forwarded-for: 1)"}},
	} {
		var c Chunks
		data, rest, err := unchunked(&c, row.coded)
		if assert.NoError(t, err, "%.80q", row.coded) {
			assert.Equal(t, row.data, data, "%.80q", row.coded)
			assert.Equal(t, row.rest, rest, "%.80q", row.coded)
			assert.Equal(t, row.trailers, listed(c.Trailers()), "%.80q", row.coded)
		}
		for end := range min(len(row.coded), 300) {
			c.Reset()
			split, _, err := unchunked(&c, row.coded, end)
			assert.NoError(t, err, "%.80q split at %d", row.coded, end)
			assert.Equal(t, row.data, split)
			assert.Equal(t, row.trailers, listed(c.Trailers()))
		}
	}
}

func TestChunksThatAreRefused(t *testing.T) {
	for _, coded := range []string{
		"\r\n", "-5\r\n", "+5\r\n", " 5\r\n", "\t5\r\n", "5 \r\n", "5 ;a\r\n", "0x5\r\n", "g\r\n", "5x\r\n", "5,5\r\n", ";a\r\n", "\x00\r\n",
		"5;a=\"\r\nhello\r\n0\r\n\r\n\"\r\n", "5;a=\"b\\\"\r\nhello\r\n0\r\n\r\n",
		"5\n", "5\r\r\n", "5\rX", "5;a\n", "5;a\rb\r\n", "5;a\x00\r\n", "5;a\x7f\r\n", "5;\xe9\r\n",
		"FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "10000000000000005\r\n", "00000000000000005\r\n",
		"5\r\nhello\n", "5\r\nhello0\r\n\r\n", "5\r\nhello!!\r\n", "5\r\nhello\r\n\r\n", "5\r\nhello\rX", "5\r\nhello\r\r\n",
		"0\r\n\n", "0\r\nX: a\n", "0\r\nX: a\r\n\n", "0\r\n\rX\r\n\r\n", "0\r\nX: a\r\n b\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX : a\r\n\r\n",
		"0\r\n: a\r\n\r\n", "0\r\nX: \x00\r\n\r\n", "0\r\n" + strings.Repeat("X: a\r\n", 33) + "\r\n",
		"0\r\nX: " + strings.Repeat("a", 4<<10) + "\r\n\r\n",
		"5;" + strings.Repeat("a", 257) + "\r\n",
		strings.Repeat("fff;"+strings.Repeat("a", 250)+"\r\n"+strings.Repeat("x", 0xfff)+"\r\n", 17),
		strings.Repeat("1;"+strings.Repeat("a", 16)+"\r\nx\r\n", 5000) + "0\r\n\r\n",
		strings.Repeat("0000000000000001;abcdef\r\nx\r\n", 5000) + "0\r\n\r\n",
	} {
		for _, ends := range [][]int{nil, {1}, {len(coded) / 2}, {len(coded) - 1}} {
			_, _, err := unchunked(new(Chunks), coded, ends...)
			assert.Equal(t, "malformed", reasonOf(err), "%.80q split at %d", coded, ends)
		}
	}
}

func TestTheLargestChunkSizeIsOnlyASize(t *testing.T) {
	data, _, err := unchunked(new(Chunks), "7fffffffffffffff\r\nhello")
	assert.Equal(t, wire.ErrShort, err)
	assert.Equal(t, "hello", data)
}

func TestChunksThatAreNotWhole(t *testing.T) {
	whole := "5;a\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"
	for end := range len(whole) {
		_, _, err := unchunked(new(Chunks), whole[:end])
		assert.Equal(t, wire.ErrShort, err, "%q", whole[:end])
	}
}

// A reader may decode into the buffer that it reads from.
func TestChunksAreDecodedInPlace(t *testing.T) {
	var c Chunks
	buf := []byte("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n!")
	n, used, err := c.Decode(buf, buf)
	assert.NoError(t, err)
	assert.Equal(t, "hello world", string(buf[:n]))
	assert.Equal(t, len(buf)-1, used)
	assert.True(t, c.Done())
}

func TestChunksStopWhenThereIsNoRoom(t *testing.T) {
	var c Chunks
	n, used, err := c.Decode(make([]byte, 2), []byte("5\r\nhello\r\n0\r\n\r\n"))
	assert.NoError(t, err)
	assert.Equal(t, []int{2, 5}, []int{n, used})
	n, used, err = c.Decode(nil, []byte("llo"))
	assert.NoError(t, err)
	assert.Equal(t, []int{0, 0}, []int{n, used})
}

func TestChunksAreWrittenAsTheyAreRead(t *testing.T) {
	var trailers wire.Fields
	trailers.Add(wire.Other, []byte("x-sum"), []byte("1"))
	trailers.Add(wire.ContentLength, []byte("content-length"), []byte("1"))
	trailers.Add(wire.Other, []byte("x-gone"), []byte("2"))
	trailers.All()[2].Gone = true

	coded := AppendChunk(nil, []byte("hello"))
	coded = AppendChunk(coded, bytes.Repeat([]byte{'x'}, 1000))
	coded = AppendLastChunk(coded, &trailers)

	var c Chunks
	data, rest, err := unchunked(&c, string(coded))
	assert.NoError(t, err)
	assert.Equal(t, "hello"+strings.Repeat("x", 1000), data)
	assert.Empty(t, rest)
	assert.Equal(t, []string{"x-sum: 1"}, listed(c.Trailers()))
	assert.Equal(t, "0\r\n\r\n", string(AppendLastChunk(nil, nil)))
}
