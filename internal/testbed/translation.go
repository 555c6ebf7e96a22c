package testbed

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// framing is how much of a body is still to come in the text of HTTP/1.1.
type framing struct {
	left    int // of the body or, with chunks, of this one
	chunked bool
	tunnel  bool // everything is
}

// say says in HTTP/2 what the text says in HTTP/1.1: a head becomes HEADERS, a body or
// each of its chunks DATA. What is not whole enough for a frame waits for more text.
func (f *Frames) say(raw string) error {
	for f.text += raw; f.text != ""; {
		before := len(f.text)
		var err error
		if f.saying == nil {
			err = f.sayHead()
		} else {
			err = f.sayBody()
		}
		if err != nil || len(f.text) == before {
			return err
		}
	}
	return nil
}

func (f *Frames) sayHead() error {
	head, rest, whole := strings.Cut(f.text, "\r\n\r\n")
	if !whole {
		return nil
	}
	f.text = rest
	fields, body, err := translated(strings.Split(head, "\r\n"))
	if err != nil {
		return err
	}
	f.body = body
	more := body != framing{}
	s, err := f.openStream(!more, fields)
	f.asked = append(f.asked, s)
	if s.tunnel = body.tunnel; more {
		f.saying = s
	}
	return err
}

func (f *Frames) sayBody() error {
	switch {
	case f.saying.Over():
		f.saying, f.text = nil, "" // nobody takes the rest
		return nil
	case f.body.tunnel:
		return f.sayPart(len(f.text), false)
	case !f.body.chunked:
		n := min(f.body.left, len(f.text))
		f.body.left -= n
		return f.sayPart(n, f.body.left == 0)
	case f.body.left > 0:
		n := min(f.body.left, len(f.text))
		if f.body.left -= n; f.body.left == 0 {
			f.body.left = -2 // its CRLF
		}
		return f.sayPart(n, false)
	case f.body.left < 0:
		n := min(-f.body.left, len(f.text))
		f.body.left += n
		f.text = f.text[n:]
		return nil
	}
	return f.sayChunk()
}

func (f *Frames) sayPart(n int, end bool) error {
	part := f.text[:n]
	f.text = f.text[n:]
	s := f.saying
	if end {
		f.saying = nil
	}
	return s.data(part, end)
}

// sayChunk begins a chunk, or ends the body with the trailers behind the last one.
func (f *Frames) sayChunk() error {
	line, rest, whole := strings.Cut(f.text, "\r\n")
	if !whole {
		return nil
	}
	size, err := strconv.ParseInt(line, 16, 32)
	if err != nil {
		return fmt.Errorf("no chunk: %w", err)
	}
	if size > 0 {
		f.body.left, f.text = int(size), rest
		return nil
	}
	section, after, whole := strings.Cut(f.text[len(line):], "\r\n\r\n")
	if !whole {
		return nil
	}
	s := f.saying
	f.saying, f.text = nil, after
	if section == "" {
		return s.data("", true)
	}
	s.said = true
	return s.writeBlock(true, split(strings.Split(strings.ToLower(section[2:]), "\r\n")))
}

// hops are the fields of an HTTP/1.1 connection (RFC 9113 section 8.2.2).
var hops = []string{"connection", "keep-alive", "transfer-encoding", "upgrade", "sec-websocket-key"}

// translated returns a head as HTTP/2 has it, and what follows it. A handshake of
// websockets becomes an extended CONNECT (RFC 8441 section 5).
func translated(lines []string) (fields []hpack.HeaderField, body framing, err error) {
	method, target, _ := strings.Cut(strings.TrimSuffix(lines[0], " HTTP/1.1"), " ")
	pseudo := []hpack.HeaderField{{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: target}}
	named := false
	skipped := slices.Clone(hops)
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, body, fmt.Errorf("no field: %q", line)
		}
		name, value = strings.ToLower(name), strings.Trim(value, " ")
		switch {
		case name == "host" && !named:
			named = true
			pseudo = append(pseudo, hpack.HeaderField{Name: ":authority", Value: value})
			continue
		case name == "connection":
			skipped = append(skipped, strings.Split(strings.ToLower(value), ", ")...)
		case name == "transfer-encoding":
			body.chunked = true
		case name == "content-length" && body.left == 0:
			n, _ := strconv.Atoi(value) // nothing follows what is no number
			body.left = max(0, n)
		case name == "upgrade" && value == "websocket":
			body.tunnel, pseudo[0].Value = true, "CONNECT"
			pseudo = append(pseudo, hpack.HeaderField{Name: ":protocol", Value: value})
		}
		fields = append(fields, hpack.HeaderField{Name: name, Value: value})
	}
	fields = slices.DeleteFunc(fields, func(h hpack.HeaderField) bool { return slices.Contains(skipped, h.Name) })
	return append(pseudo, fields...), body, nil
}
