package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// maxConnection bounds all Connection fields, in bytes: each element is looked for
// among all fields.
const maxConnection = 1 << 10

// ParseRequest reads a whole request head, as Scanner found it, into r. The
// slices of r point into head, whose field names are lowered in place. An error
// is a *wire.Error, and the connection is to be closed after its answer.
func ParseRequest(head []byte, r *wire.Request, lim wire.Limits) error {
	end := bytes.IndexByte(head, '\n')
	if err := parseRequestLine(head[:end-1], r, lim); err != nil {
		return err
	}
	if err := parseFields(head[end+1:], &r.Fields, lim.Fields, inRequest); err != nil {
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
func parseRequestLine(line []byte, r *wire.Request, lim wire.Limits) error {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first <= 0 || last <= first {
		return malformed("a request line that is not method, target and version")
	}
	r.Method, r.Target = line[:first], line[first+1:last]
	if err := version(line[last+1:], r); err != nil {
		return err
	}
	if !wire.ValidMethod(r.Method) {
		return malformed("a method that is not a plain word")
	}
	if len(r.Target) > lim.Target {
		return wire.ErrTarget
	}
	if !wire.ValidTarget(r.Target) {
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
	host, ok := r.Fields.Once(wire.Host)
	if !ok {
		return malformed("not exactly one Host field")
	}
	if !wire.ValidHost(host) {
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
	coded, counted := r.Fields.Has(wire.TransferEncoding), r.Fields.Has(wire.ContentLength)
	switch {
	case coded && counted:
		return malformed("Content-Length together with Transfer-Encoding")
	case coded:
		if !chunked(&r.Fields, r.Version) {
			return malformed("a Transfer-Encoding that is not exactly chunked, on HTTP/1.1")
		}
		r.Length = wire.Unknown
	case counted:
		var ok bool
		if r.Length, ok = contentLength(&r.Fields); !ok {
			return malformed("a Content-Length that is not one plain number")
		}
	}
	return nil
}

// chunked reports whether the transfer coding is the one that is spoken here, in
// one field, on the version that has it (RFC 9112 section 6.1).
func chunked(f *wire.Fields, v wire.Version) bool {
	coding, ok := f.Once(wire.TransferEncoding)
	return ok && v == wire.HTTP11 && wire.EqualFoldString(coding, "chunked")
}

// contentLength reads the one Content-Length (RFC 9110 section 8.6).
func contentLength(f *wire.Fields) (int64, bool) {
	value, ok := f.Once(wire.ContentLength)
	if !ok {
		return 0, false
	}
	return wire.Number(value)
}

// requestOptions reads Connection, Expect and Upgrade.
func requestOptions(r *wire.Request) error {
	if r.Fields.Has(wire.Connection) {
		said, ok := connection(&r.Fields)
		if !ok {
			return malformed("a Connection field that is too long")
		}
		r.Close = r.Close || said.close
		r.Upgrade = said.upgrade && asksWebsocket(r)
	}
	return r.Expectation()
}

// options is what Connection fields said.
type options struct{ close, upgrade bool }

// connection reads the Connection fields (RFC 9110 section 7.6.1). ok is false
// when they are too long.
func connection(f *wire.Fields) (said options, ok bool) {
	size := 0
	for i := range f.All() {
		if field := &f.All()[i]; field.ID == wire.Connection {
			said.close = said.close || wire.HasToken(field.Value, "close")
			said.upgrade = said.upgrade || wire.HasToken(field.Value, "upgrade")
			size += len(field.Value)
		}
	}
	return said, size <= maxConnection
}

// asksWebsocket reports whether the request is a handshake of RFC 6455.
func asksWebsocket(r *wire.Request) bool {
	protocol, ok := r.Fields.Once(wire.Upgrade)
	return ok && r.Version == wire.HTTP11 && string(r.Method) == "GET" && !r.HasBody() &&
		wire.EqualFoldString(protocol, "websocket")
}
