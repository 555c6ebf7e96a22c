package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// ResponseLimits bound the head of a backend's answer. They never change.
var ResponseLimits = wire.Limits{Head: 64 << 10, Target: 64 << 10, Fields: 256}

// ParseResponse reads a whole response head, as Scanner found it, into r. method
// is the request's: it decides whether a body follows (RFC 9112 section 6.3). An
// error is a *wire.Error with reason backend_malformed.
func ParseResponse(head []byte, r *wire.Response, method []byte) error {
	end := bytes.IndexByte(head, '\n')
	if err := parseStatusLine(head[:end-1], r); err != nil {
		return err
	}
	if err := parseFields(head[end+1:], &r.Fields, ResponseLimits.Fields, inResponse); err != nil {
		return garbled("its fields are not well-formed or too many")
	}
	if r.Fields.Has(wire.Connection) {
		said, ok := connection(&r.Fields)
		if !ok {
			return garbled("its Connection field is too long")
		}
		r.Close = r.Close || said.close
	}
	return responseLength(r, method)
}

func garbled(what string) error { return &wire.Error{Reason: reason.BackendMalformed, What: what} }

// parseStatusLine reads version, status and reason (RFC 9112 section 4).
func parseStatusLine(line []byte, r *wire.Response) error {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return garbled("its status line is not well-formed")
	}
	switch string(line[:8]) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		r.Version, r.Close = wire.HTTP10, true
	default:
		return garbled("its version is neither HTTP/1.1 nor HTTP/1.0")
	}
	status, ok := wire.Number(line[9:12])
	if !ok || status < 100 || status > 599 {
		return garbled("its status is not between 100 and 599")
	}
	r.Status = int(status)
	if len(line) > 12 {
		r.Reason = line[13:]
	}
	if _, err := checkValue(r.Reason, inResponse); err != nil {
		return garbled("its reason phrase has a control byte")
	}
	return nil
}

// responseLength decides where the answer ends (RFC 9112 section 6.3). What
// could be read in two ways is refused.
func responseLength(r *wire.Response, method []byte) error {
	coded, counted := r.Fields.Has(wire.TransferEncoding), r.Fields.Has(wire.ContentLength)
	r.Length = wire.Unknown
	switch {
	case coded && counted:
		return garbled("its length is said twice")
	case coded:
		if !chunked(&r.Fields, r.Version) {
			return garbled("its Transfer-Encoding is not exactly chunked, on HTTP/1.1")
		}
		r.Chunked = true
	case counted:
		var ok bool
		if r.Length, ok = contentLength(&r.Fields); !ok {
			return garbled("its Content-Length is not one plain number")
		}
	case wire.HasBody(r.Status, method):
		r.Close = true
	}
	if empty := r.Status < 200 || r.Status == 204; empty && (coded || r.Length > 0) {
		return garbled("its status has no body, its fields say it has") // RFC 9112 section 6.1, RFC 9110 section 8.6
	}
	return nil
}
