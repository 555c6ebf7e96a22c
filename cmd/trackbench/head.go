package main

import (
	"bytes"
	"errors"
	"strconv"
)

// errNoLength is a message whose length the head does not say.
var errNoLength = errors.New("no content-length")

// head is the head of an HTTP/1.1 message, first line and fields with the empty
// line that ends it.
type head []byte

// cutHead returns the head that data begins with, or false while it is incomplete.
func cutHead(data []byte) (head, bool) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, false
	}
	return head(data[:end+4]), true
}

// firstLine returns the request or status line without its end.
func (h head) firstLine() []byte {
	line, _, _ := bytes.Cut(h, []byte("\r\n"))
	return line
}

// field returns the value of the first field of that lower-case name.
func (h head) field(name string) ([]byte, bool) {
	_, rest, _ := bytes.Cut(h, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if len(line) > len(name) && line[len(name)] == ':' && equalFold(line[:len(name)], name) {
			return bytes.TrimSpace(line[len(name)+1:]), true
		}
	}
	return nil, false
}

// equalFold compares ASCII text with a lower-case name. bytes.EqualFold knows all
// of Unicode, which is dear in a loop over every field.
func equalFold(text []byte, lower string) bool {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// length returns the Content-Length; only a GET may go without.
func (h head) length() (int, error) {
	value, ok := h.field("content-length")
	if !ok && bytes.HasPrefix(h, []byte("GET ")) {
		return 0, nil
	}
	if !ok {
		return 0, errNoLength
	}
	n, err := strconv.ParseUint(string(value), 10, 31)
	if err != nil {
		return 0, errors.New("content-length is no number: " + strconv.Quote(string(value)))
	}
	return int(n), nil
}
