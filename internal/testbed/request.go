package testbed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

// Request is what a backend got.
type Request struct {
	Line   string   // "POST /track HTTP/1.1"
	Fields []string // "name: value", in their order
	Body   string
	Whole  bool // the body came to its end
	Reused bool // not the first of its connection
}

// Field returns the values of a field, lower-case name, in their order.
func (r Request) Field(name string) (values []string) {
	for _, f := range r.Fields {
		if rest, ok := strings.CutPrefix(f, name+": "); ok {
			values = append(values, rest)
		}
	}
	return values
}

// headError says what was wrong in a head.
type headError struct{ what, text string }

func (e *headError) Error() string { return fmt.Sprintf("%s: %q", e.what, e.text) }

// readHead reads a request line and fields. It is as strict as a backend could
// be: whatever is not CRLF and "name: value" is an error.
func readHead(r *bufio.Reader) (Request, error) {
	var req Request
	line, err := readLine(r)
	if err != nil {
		return req, err
	}
	if parts := strings.Split(line, " "); len(parts) != 3 || parts[2] != "HTTP/1.1" {
		return req, &headError{"request line", line}
	}
	req.Line = line
	for {
		field, err := readLine(r)
		if err != nil || field == "" {
			return req, err
		}
		if name, value, ok := strings.Cut(field, ": "); !ok || name == "" || strings.ContainsAny(name+value, "\r\n\x00") {
			return req, &headError{"field", field}
		}
		req.Fields = append(req.Fields, field)
	}
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil && line != "" {
		return "", &headError{"half a line", line}
	}
	if err != nil {
		return "", err
	}
	line, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		return "", &headError{"line without CRLF", line}
	}
	return line, nil
}

// readBody reads the body by its framing.
func (r *Request) readBody(from *bufio.Reader) {
	var b bytes.Buffer
	var err error
	if r.Field("transfer-encoding") != nil {
		_, err = io.Copy(&b, httputil.NewChunkedReader(from))
		if err == nil {
			err = r.readTrailers(from)
		}
	} else if length := r.Field("content-length"); length != nil {
		n, _ := strconv.ParseInt(length[0], 10, 64)
		_, err = io.CopyN(&b, from, n)
	}
	r.Body, r.Whole = b.String(), err == nil
}

// readTrailers reads what follows the last chunk; trailers are kept as fields.
func (r *Request) readTrailers(from *bufio.Reader) error {
	for {
		line, err := readLine(from)
		if err != nil || line == "" {
			return err
		}
		r.Fields = append(r.Fields, line)
	}
}
