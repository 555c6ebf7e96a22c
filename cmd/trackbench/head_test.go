package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeadFindsFieldsByNameInAnyCase(t *testing.T) {
	h, ok := cutHead([]byte("HTTP/1.1 200 OK\r\nX-Length: 7\r\nCONTENT-length:  258 \r\ncontent-length-not: 9\r\n\r\nbody"))
	require.True(t, ok)

	assert.Equal(t, "HTTP/1.1 200 OK", string(h.firstLine()))
	n, err := h.length()
	require.NoError(t, err)
	assert.Equal(t, 258, n)
	value, ok := h.field("x-length")
	assert.True(t, ok)
	assert.Equal(t, "7", string(value))
	_, ok = h.field("length")
	assert.False(t, ok)
}

func TestHeadIsNotCutBeforeItsEmptyLine(t *testing.T) {
	for _, data := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\na: b\r\n", "HTTP/1.1 200 OK\n\n"} {
		_, ok := cutHead([]byte(data))
		assert.False(t, ok, "%q", data)
	}
}

func TestHeadLength(t *testing.T) {
	for _, row := range []struct {
		name, head string
		want       int
		fails      string
	}{
		{"plain", "POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\n", 12, ""},
		{"a GET may go without", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, ""},
		{"a GET may have one", "GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", 3, ""},
		{"missing", "POST / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "no content-length"},
		{"negative", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 0, `content-length is no number: "-1"`},
		{"too large", "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 0, `content-length is no number: "99999999999"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := head(row.head).length()
			if row.fails != "" {
				require.EqualError(t, err, row.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, n)
		})
	}
}
