package wire

import "github.com/trackgate/trackgate/internal/reason"

// Unknown is the length of a body that ends by its framing, not by a number.
const Unknown int64 = -1

// Version is the protocol version of a message.
type Version uint8

// The versions.
const (
	HTTP11 Version = iota
	HTTP10
	HTTP2
)

// String returns the version as access logs spell it.
func (v Version) String() string {
	return [...]string{HTTP11: "HTTP/1.1", HTTP10: "HTTP/1.0", HTTP2: "HTTP/2.0"}[v]
}

// Request is the head of a request as it was read. Its slices point into the
// engine's buffer and are valid until the exchange ends.
type Request struct {
	Method    []byte
	Target    []byte // origin-form: path and query; or "*"
	Authority []byte // host and perhaps port, as the client wrote it
	Version   Version
	Fields    Fields
	Length    int64 // of the body; Unknown when chunked
	Close     bool  // the client wants the connection closed after the answer
	Expects   bool  // the client waits for 100 before it sends the body
	Upgrade   bool  // the client asks for a websocket
}

// Reset makes r ready for the next head.
func (r *Request) Reset() {
	fields := r.Fields
	fields.Reset()
	*r = Request{Fields: fields}
}

// Expectation accepts 100-continue alone (RFC 9110 section 10.1.1). HTTP/1.0 has no
// 1xx, so there it is ignored.
func (r *Request) Expectation() error {
	if r.Version == HTTP10 || !r.Fields.Has(Expect) {
		return nil
	}
	if value, ok := r.Fields.Once(Expect); !ok || !EqualFoldString(value, "100-continue") {
		return &Error{Reason: reason.ExpectationFailed, What: "an expectation other than 100-continue"}
	}
	r.Expects = r.HasBody()
	return nil
}

// HasBody reports whether a body may follow the head.
func (r *Request) HasBody() bool { return r.Length != 0 }

// Response is the head of a backend's answer as it was read. Its slices point
// into the connection's buffer and are valid until the next read.
type Response struct {
	Status  int
	Reason  []byte
	Version Version
	Fields  Fields
	Length  int64 // of the body; Unknown when chunked or ended by close
	Chunked bool
	Close   bool // the connection cannot be used again
}

// Reset makes r ready for the next head.
func (r *Response) Reset() {
	fields := r.Fields
	fields.Reset()
	*r = Response{Fields: fields}
}

// Informational reports whether the answer is a 1xx, which is never the final
// one. 101 is final for HTTP: what follows is another protocol.
func (r *Response) Informational() bool { return r.Status < 200 && r.Status != 101 }
