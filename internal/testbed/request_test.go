package testbed

import (
	"bufio"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABackendReadsHeadsStrictly(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"GET / HTTP/1.1\nhost: a\r\n\r\n":        "line without CRLF",
		"GET / HTTP/1.0\r\nhost: a\r\n\r\n":      "request line",
		"GET  / HTTP/1.1\r\nhost: a\r\n\r\n":     "request line",
		"GET / HTTP/1.1\r\nhost:a\r\n\r\n":       "field",
		"GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n": "field",
		"GET / HTTP/1.1\r\nx: a\rb\r\n\r\n":      "field",
		"GET / HTTP/1.1\r\nhost":                 "half a line",
	} {
		_, err := readHead(bufio.NewReader(strings.NewReader(raw)))
		var garbled *headError
		require.True(t, errors.As(err, &garbled), "%q: %v", raw, err)
		assert.Equal(t, want, garbled.what, raw)
	}
}

func TestABodyIsWholeWhenItsFramingSaysSo(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Request{
		"GET / HTTP/1.1\r\n\r\nrest":                                                       {Body: "", Whole: true},
		"GET / HTTP/1.1\r\ncontent-length: 2\r\n\r\nhirest":                                {Body: "hi", Whole: true},
		"GET / HTTP/1.1\r\ncontent-length: 3\r\n\r\nhi":                                    {Body: "hi"},
		"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n":         {Body: "hi", Whole: true},
		"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: 1\r\n\r\n": {Body: "hi", Whole: true},
		"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n":                  {Body: "hi"},
		"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n":             {Body: "hi"},
	} {
		r := bufio.NewReader(strings.NewReader(raw))
		req, err := readHead(r)
		require.NoError(t, err)
		req.readBody(r)
		assert.Equal(t, want, Request{Body: req.Body, Whole: req.Whole}, raw)
	}
}
