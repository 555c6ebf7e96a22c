package h1

import (
	"bytes"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// ResponseLimits bound the head of a backend's answer.
var ResponseLimits = Limits{Head: 64 << 10, Target: 64 << 10, Fields: 256}

// ParseResponse reads a whole response head, as Scanner found it, into r. method
// is the request's: it decides whether a body follows (RFC 9112 section 6.3). An
// error is a *wire.Error with reason backend_malformed.
func ParseResponse(head []byte, r *wire.Response, method []byte) error {
	end := bytes.IndexByte(head, '\n')
	if err := parseStatusLine(head[:end-1], r); err != nil {
		return err
	}
	if err := parseFields(head[end+1:], &r.Fields, ResponseLimits.Fields, false); err != nil {
		return garbled("its fields are not well-formed or too many")
	}
	for i := range r.Fields.All() {
		if field := &r.Fields.All()[i]; field.ID == wire.Connection && wire.HasToken(field.Value, "close") {
			r.Close = true
		}
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
	status, ok := number(line[9:12])
	if !ok || status < 100 || status > 599 {
		return garbled("its status is not between 100 and 599")
	}
	if len(line) > 12 {
		r.Reason = line[13:]
	}
	r.Status = int(status)
	return nil
}

// responseLength decides where the answer ends (RFC 9112 section 6.3). What
// could be read in two ways is refused.
func responseLength(r *wire.Response, method []byte) error {
	codings, lengths := r.Fields.Count(wire.TransferEncoding), r.Fields.Count(wire.ContentLength)
	if codings > 1 || lengths > 1 || codings > 0 && lengths > 0 {
		return garbled("its length is said twice")
	}
	r.Length = wire.Unknown
	if lengths == 1 {
		value, _ := r.Fields.Get(wire.ContentLength)
		n, ok := number(value)
		if !ok {
			return garbled("its Content-Length is not one plain number")
		}
		r.Length = n
	}
	if codings == 1 {
		return responseCoding(r)
	}
	r.Close = r.Close || lengths == 0 && HasBody(r.Status, method)
	return nil
}

// responseCoding accepts exactly chunked, on HTTP/1.1.
func responseCoding(r *wire.Response) error {
	coding, _ := r.Fields.Get(wire.TransferEncoding)
	if r.Version != wire.HTTP11 || !wire.EqualFoldString(coding, "chunked") {
		return garbled("its Transfer-Encoding is not exactly chunked, on HTTP/1.1")
	}
	r.Chunked = true
	return nil
}

// HasBody reports whether an answer with that status to that method has a body
// (RFC 9112 section 6.3, rules 1 and 2).
func HasBody(status int, method []byte) bool {
	return status >= 200 && status != 204 && status != 304 && string(method) != "HEAD"
}
