package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// ParseRequest reads a whole request head, as Scanner found it, into r. The
// slices of r point into head, whose field names are lowered in place. An error
// is a *wire.Error, and the connection is to be closed after its answer.
func ParseRequest(head []byte, r *wire.Request, lim Limits) error {
	end := bytes.IndexByte(head, '\n')
	if err := parseRequestLine(head[:end-1], r, lim); err != nil {
		return err
	}
	if err := parseFields(head[end+1:], &r.Fields, lim.Fields, true); err != nil {
		return err
	}
	if err := authority(r); err != nil {
		return err
	}
	if err := requestLength(r); err != nil {
		return err
	}
	return requestOptions(r)
}

// parseRequestLine reads method, target and version (RFC 9112 section 3).
func parseRequestLine(line []byte, r *wire.Request, lim Limits) error {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first <= 0 || last <= first {
		return malformed("a request line that is not method, target and version")
	}
	r.Method, r.Target = line[:first], line[first+1:last]
	if err := version(line[last+1:], r); err != nil {
		return err
	}
	if all, _ := classes(r.Method); all&(plainName) == 0 || len(r.Method) > 16 {
		return malformed("a method that is not a plain word")
	}
	if len(r.Target) > lim.Target {
		return &errTarget
	}
	if all, _ := classes(r.Target); all&targetByte == 0 || len(r.Target) == 0 {
		return malformed("a byte in the target that may not be there")
	}
	return nil
}

// version accepts HTTP/1.1 and HTTP/1.0, to the byte.
func version(v []byte, r *wire.Request) error {
	switch string(v) {
	case "HTTP/1.1":
		return nil
	case "HTTP/1.0":
		r.Version, r.Close = wire.HTTP10, true
		return nil
	}
	if len(v) == 8 && string(v[:5]) == "HTTP/" && digit(v[5]) && v[6] == '.' && digit(v[7]) {
		return &wire.Error{Reason: reason.VersionNotSupported, What: "only HTTP/1.1 and HTTP/1.0 are spoken"}
	}
	return malformed("a protocol version that is none")
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// authority finds the one Host field and brings the target into origin-form
// (RFC 9112 section 3.2).
func authority(r *wire.Request) error {
	host, ok := r.Fields.Get(wire.Host)
	if !ok || r.Fields.Count(wire.Host) != 1 {
		return malformed("not exactly one Host field")
	}
	if !validHost(host) {
		return malformed("a Host field that is not a host and perhaps a port")
	}
	r.Authority = host
	switch {
	case r.Target[0] == '/':
		return nil
	case string(r.Target) == "*" && string(r.Method) == "OPTIONS":
		return nil
	}
	return absoluteForm(r)
}

// absoluteForm cuts scheme and authority off the target. They must name the
// same host as the Host field.
func absoluteForm(r *wire.Request) error {
	rest, ok := cutScheme(r.Target)
	if !ok {
		return malformed("a target in a form that is not served")
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if !bytes.EqualFold(rest[:end], r.Authority) {
		return malformed("a target that names another host than the Host field")
	}
	if end == len(rest) || rest[end] == '?' {
		return malformed("an absolute target without a path")
	}
	r.Target = rest[end:]
	return nil
}

func cutScheme(target []byte) (rest []byte, ok bool) {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(target) > len(scheme) && wire.EqualFoldString(target[:len(scheme)], scheme) {
			return target[len(scheme):], true
		}
	}
	return nil, false
}

// requestLength decides the framing, once (RFC 9112 section 6.3).
func requestLength(r *wire.Request) error {
	codings, lengths := r.Fields.Count(wire.TransferEncoding), r.Fields.Count(wire.ContentLength)
	switch {
	case codings == 0 && lengths == 0:
		return nil
	case codings > 0 && lengths > 0:
		return malformed("Content-Length together with Transfer-Encoding")
	case codings > 1 || lengths > 1:
		return malformed("more than one field for the length of the body")
	case lengths == 1:
		return contentLength(r)
	}
	coding, _ := r.Fields.Get(wire.TransferEncoding)
	if r.Version != wire.HTTP11 || !wire.EqualFoldString(coding, "chunked") {
		return malformed("a Transfer-Encoding that is not exactly chunked, on HTTP/1.1")
	}
	r.Length = wire.Unknown
	return nil
}

func contentLength(r *wire.Request) error {
	value, _ := r.Fields.Get(wire.ContentLength)
	n, ok := number(value)
	if !ok {
		return malformed("a Content-Length that is not one plain number")
	}
	r.Length = n
	return nil
}

// requestOptions reads Connection, Expect and Upgrade.
func requestOptions(r *wire.Request) error {
	upgrade := false
	for i := range r.Fields.All() {
		switch field := &r.Fields.All()[i]; field.ID {
		case wire.Connection:
			r.Close = r.Close || wire.HasToken(field.Value, "close")
			upgrade = upgrade || wire.HasToken(field.Value, "upgrade")
		case wire.Expect:
			if err := expectation(r, field.Value); err != nil {
				return err
			}
		}
	}
	r.Upgrade = upgrade && asksWebsocket(r)
	return nil
}

// expectation accepts 100-continue alone (RFC 9110 section 10.1.1). HTTP/1.0
// has no 1xx, so there it is ignored.
func expectation(r *wire.Request, value []byte) error {
	if r.Version == wire.HTTP10 {
		return nil
	}
	if !wire.EqualFoldString(value, "100-continue") {
		return &wire.Error{Reason: reason.ExpectationFailed, What: "an expectation other than 100-continue"}
	}
	r.Expects = r.HasBody()
	return nil
}

// asksWebsocket reports whether the request is a handshake of RFC 6455.
func asksWebsocket(r *wire.Request) bool {
	protocol, _ := r.Fields.Get(wire.Upgrade)
	return r.Version == wire.HTTP11 && string(r.Method) == "GET" && !r.HasBody() &&
		r.Fields.Count(wire.Upgrade) == 1 && wire.EqualFoldString(protocol, "websocket")
}
