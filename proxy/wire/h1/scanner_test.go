package h1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// usual are the limits that a listener has by default.
var usual = wire.Limits{Head: 32 << 10, Target: 8 << 10, Fields: wire.MaxFields, Body: 1 << 20}

// scanned scans text in parts that end at the given places, and at its end.
func scanned(text string, lim wire.Limits, ends ...int) (int, error) {
	var s Scanner
	for _, end := range append(ends, len(text)) {
		if n, err := s.Scan([]byte(text[:end]), lim); err != wire.ErrShort {
			return n, err
		}
	}
	return 0, wire.ErrShort
}

// reasonOf is how rows name an outcome: "" for none, "short", or the reason.
func reasonOf(err error) string {
	switch err {
	case nil:
		return ""
	case wire.ErrShort:
		return "short"
	}
	return wire.ReasonOf(err, reason.OK).String()
}

func TestScannerFindsTheEndOfAHead(t *testing.T) {
	tight := wire.Limits{Head: 200, Target: 36}
	line := func(n int) string { return strings.Repeat("a", n) }
	for _, row := range []struct {
		what, text string
		lim        wire.Limits
		n          int
		want       string
	}{
		{"nothing", "", usual, 0, "short"},
		{"a part of a line", "GET /", usual, 0, "short"},
		{"a CR alone", "GET / HTTP/1.1\r", usual, 0, "short"},
		{"a line", "GET / HTTP/1.1\r\n", usual, 0, "short"},
		{"half of the empty line", "GET / HTTP/1.1\r\n\r", usual, 0, "short"},
		{"no fields", "GET / HTTP/1.1\r\n\r\n", usual, 18, ""},
		{"fields and a body behind", "GET / HTTP/1.1\r\na: b\r\n\r\nbody\n", usual, 24, ""},
		{"an empty line first", "\r\nGET / HTTP/1.1\r\n\r\n", usual, 0, "malformed"},
		{"a bare LF first", "\nGET / HTTP/1.1\r\n\r\n", usual, 0, "malformed"},
		{"a bare LF behind the start line", "GET / HTTP/1.1\na: b\r\n\r\n", usual, 0, "malformed"},
		{"a bare LF behind a field", "GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n", usual, 0, "malformed"},
		{"a bare LF as the empty line", "GET / HTTP/1.1\r\na: b\r\n\n", usual, 0, "malformed"},
		{"two LF", "GET / HTTP/1.1\r\n\n\r\n", usual, 0, "malformed"},
		{"a line just within the target's limit", line(100), tight, 0, "short"},
		{"a line over it", line(101), tight, 0, "target_too_long"},
		{"a whole line over it", line(101) + "\r\n\r\n", tight, 0, "target_too_long"},
		{"a head just within the limit", line(10) + "\r\n" + line(184) + "\r\n\r\n", tight, 200, ""},
		{"a head one over it", line(10) + "\r\n" + line(185) + "\r\n\r\n", tight, 0, "head_too_large"},
		{"a head far over it", line(10) + "\r\n" + line(500) + "\r\n\r\n", tight, 0, "head_too_large"},
		{"a head without end at the limit", line(10) + "\r\n" + line(188), tight, 0, "short"},
		{"a head without end over it", line(10) + "\r\n" + line(189), tight, 0, "head_too_large"},
		{"a head's limit below the target's", line(20), wire.Limits{Head: 10, Target: 100}, 0, "head_too_large"},
	} {
		t.Run(row.what, func(t *testing.T) {
			n, err := scanned(row.text, row.lim)
			assert.Equal(t, row.want, reasonOf(err))
			if err == nil {
				assert.Equal(t, row.n, n)
			}
			for end := range len(row.text) {
				_, err := scanned(row.text, row.lim, end)
				assert.Equal(t, row.want, reasonOf(err), "split at %d", end)
			}
		})
	}
}

func TestScannerLooksAtNoByteTwice(t *testing.T) {
	var s Scanner
	text := []byte("GET / HTTP/1.1\r\nhost: a")
	_, err := s.Scan(text, usual)
	assert.Equal(t, wire.ErrShort, err)
	copy(text, "\n\n\n\n")
	n, err := s.Scan(append(text, "\r\n\r\n"...), usual)
	assert.NoError(t, err)
	assert.Equal(t, len(text)+4, n)
}
