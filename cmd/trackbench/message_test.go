package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoBytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

func TestMessageReaderReadsWhateverThePieces(t *testing.T) {
	for name, source := range map[string]io.Reader{
		"at once":     strings.NewReader(twoBytes),
		"by the byte": iotest.OneByteReader(strings.NewReader(twoBytes)),
		"by halves":   iotest.HalfReader(strings.NewReader(twoBytes)),
	} {
		t.Run(name, func(t *testing.T) {
			reader := newMessageReader(source)

			m, err := reader.next()

			require.NoError(t, err)
			assert.Equal(t, "HTTP/1.1 200 OK", string(m.head.firstLine()))
			assert.Equal(t, "ok", string(m.body))
			_, err = reader.next()
			assert.Equal(t, io.EOF, err)
		})
	}
}

func TestMessageReaderRefuses(t *testing.T) {
	for _, row := range []struct{ name, data, fails string }{
		{"an end in the head", "HTTP/1.1 200", "unexpected EOF"},
		{"an end in the body", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", "unexpected EOF"},
		{"more than was announced", twoBytes + "!", `"HTTP/1.1 200 OK": 1 bytes too many`},
		{"no length", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", `"HTTP/1.1 200 OK": no content-length`},
		{"an endless head", strings.Repeat("x", maxMessage+1), "message longer than 4 KiB"},
		{"an endless body", "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + strings.Repeat("x", 9999), "message longer than 4 KiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := newMessageReader(strings.NewReader(row.data)).next()
			assert.EqualError(t, err, row.fails)
		})
	}
}

func TestMessageReaderAllocatesNothing(t *testing.T) {
	source := bytes.NewReader([]byte(twoBytes))
	reader := newMessageReader(source)

	allocations := testing.AllocsPerRun(100, func() {
		source.Reset([]byte(twoBytes))
		if _, err := reader.next(); err != nil {
			t.Error(err)
		}
	})

	assert.LessOrEqual(t, allocations, 1.0, "one is the test's own []byte")
}

func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{twoBytes, twoBytes + "x", "", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", "HTTP/1.1 200 OK\r\n:\r\ncontent-length:\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, whole, err := parseMessage(data)
		if err != nil || !whole {
			return
		}
		if len(m.head)+len(m.body) != len(data) {
			t.Fatalf("%d of head and %d of body from %d bytes", len(m.head), len(m.body), len(data))
		}
		agreesWithNetHTTP(t, data, m)
	})
}

// agreesWithNetHTTP compares with the standard library where that reads an answer
// with a length at all.
func agreesWithNetHTTP(t *testing.T, data []byte, m message) {
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	if err != nil || !strings.HasPrefix(string(data), "HTTP/1.1 200 ") || answer.TransferEncoding != nil || answer.ContentLength < 0 {
		return
	}
	defer answer.Body.Close()
	if answer.ContentLength != int64(len(m.body)) {
		t.Fatalf("net/http says %d bytes, we say %d", answer.ContentLength, len(m.body))
	}
}
