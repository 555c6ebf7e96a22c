package wirecheck

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// head is a start line and its fields as they stood on the wire, without the
// empty line.
type head string

// mostHead bounds the heads that are read here; some cases are large.
const mostHead = 4 << 20

// errLongHead says that a head has no end.
var errLongHead = errors.New("a head without an end")

// readHead reads up to and including the empty line. With an error it returns
// what there was.
func readHead(in *bufio.Reader) (head, error) {
	var text bytes.Buffer
	for !bytes.HasSuffix(text.Bytes(), []byte("\r\n\r\n")) {
		line, err := in.ReadBytes('\n')
		text.Write(line)
		if err != nil {
			return head(text.String()), err
		}
		if text.Len() > mostHead {
			return head(text.String()), errLongHead
		}
	}
	return head(strings.TrimSuffix(text.String(), "\r\n\r\n")), nil
}

func (h head) lines() []string { return strings.Split(string(h), "\r\n") }

// word returns the n-th word of the start line.
func (h head) word(n int) string {
	words := strings.SplitN(h.lines()[0], " ", 3)
	if n >= len(words) {
		return ""
	}
	return words[n]
}

func (h head) method() string { return h.word(0) }

func (h head) target() string { return h.word(1) }

// status is 0 where there is none.
func (h head) status() int {
	if !strings.HasPrefix(h.word(0), "HTTP/1.") {
		return 0
	}
	code, _ := strconv.Atoi(h.word(1))
	return code
}

// values returns the values of every field called name.
func (h head) values(name string) []string {
	var all []string
	for _, line := range h.lines()[1:] {
		if found, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(found, name) {
			all = append(all, strings.Trim(value, " \t"))
		}
	}
	return all
}

// value returns the first of them, or "".
func (h head) value(name string) string {
	if all := h.values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (h head) has(name, value string) bool {
	return strings.EqualFold(h.value(name), value)
}

// readBody reads the body that h announces. Where h announces none, there is
// none if bare says so, and everything up to the end otherwise.
func readBody(in *bufio.Reader, h head, bare bool) (string, error) {
	var body bytes.Buffer
	switch {
	case len(h.values("Transfer-Encoding")) > 0:
		return readChunks(in)
	case h.value("Content-Length") != "":
		length, err := strconv.ParseInt(h.value("Content-Length"), 10, 64)
		if err != nil {
			return "", err
		}
		_, err = io.CopyN(&body, in, length)
		return body.String(), err
	case bare:
		return "", nil
	}
	_, err := io.Copy(&body, in)
	return body.String(), err
}

func readChunks(in *bufio.Reader) (string, error) {
	var body bytes.Buffer
	for {
		size, err := chunkSize(in)
		if err != nil {
			return body.String(), err
		}
		if size == 0 {
			return body.String(), skipTrailers(in)
		}
		if _, err := io.CopyN(&body, in, size); err != nil {
			return body.String(), err
		}
		if _, err := in.Discard(len("\r\n")); err != nil {
			return body.String(), err
		}
	}
}

func chunkSize(in *bufio.Reader) (int64, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	digits, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ";")
	size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: chunk size %q", errMalformed, line)
	}
	return int64(size), nil
}

func skipTrailers(in *bufio.Reader) error {
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err
		}
	}
}

// errMalformed says that a message could not be read, which is not the same as
// one that ends too soon.
var errMalformed = errors.New("malformed")

func TestBodiesAreReadToTheirEnd(t *testing.T) {
	for _, test := range []struct {
		head, in, body string
		bare           bool
		fails          bool
	}{
		{head: "X\r\nContent-Length: 2", in: "hi!", body: "hi"},
		{head: "X\r\nContent-Length: 5", in: "hi", body: "hi", fails: true},
		{head: "X\r\nContent-Length: two", in: "hi", fails: true},
		{head: "X\r\ntransfer-encoding: chunked", in: "2\r\nhi\r\n1;x\r\n!\r\n0\r\nT: v\r\n\r\n", body: "hi!"},
		{head: "X\r\ntransfer-encoding: chunked", in: "2\r\nhi\r\n", body: "hi", fails: true},
		{head: "X\r\ntransfer-encoding: chunked", in: "-2\r\nhi\r\n", fails: true},
		{head: "X", in: "hi", body: "hi"},
		{head: "X", in: "hi", bare: true},
	} {
		body, err := readBody(bufio.NewReader(strings.NewReader(test.in)), head(test.head), test.bare)
		assert.Equal(t, test.body, body, test)
		assert.Equal(t, test.fails, err != nil, test)
	}
}

func TestHeadsAreTakenApart(t *testing.T) {
	h, err := readHead(bufio.NewReader(strings.NewReader("GET /x HTTP/1.1\r\nA: 1\r\na:\t2 \r\n\r\nrest")))
	assert.NoError(t, err)
	assert.Equal(t, "GET /x", h.method()+" "+h.target())
	assert.Equal(t, []string{"1", "2"}, h.values("A"))
	assert.Equal(t, 0, h.status())
	assert.Equal(t, 204, head("HTTP/1.1 204 No Content").status())

	_, err = readHead(bufio.NewReader(strings.NewReader("GET /x HTTP/1.1\r\nA: 1\r\n")))
	assert.Error(t, err)
}
