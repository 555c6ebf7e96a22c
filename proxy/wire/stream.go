package wire

import (
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

// Stream is the client's side of one exchange. It is used by one goroutine at
// a time, but for Stop. A method that fails leaves the Stream unusable but for
// Abort.
type Stream interface {
	// ReadHead returns the head of the request, of which the first byte was there at
	// start. The request is not nil, whatever the error, a *Error, says of it.
	ReadHead(start time.Time) (*Request, error)
	// Hold reads the body if it fits into max bytes; whole says whether it did.
	// If not, body is the part that was read, perhaps none, and Read goes on
	// behind it. The slice is valid until the exchange ends.
	Hold(max int) (body []byte, whole bool, err error)
	// Read reads what Hold has left of the body; io.EOF follows its last byte.
	Read(p []byte) (int, error)
	// Stop ends a Read that runs in another goroutine, and every later one.
	Stop()
	// Trailers returns the fields after the body, once it was read to its end.
	Trailers() *Fields
	// Taken returns how many bytes of the body were read.
	Taken() int64

	// Inform writes an informational answer with those of fields that are not
	// gone; fields may be nil.
	Inform(status int, fields *Fields) error
	// Last asks the client to send its further requests elsewhere, together with the
	// answer that is about to be started.
	Last()
	// Start begins the head of the final answer.
	Start(status int)
	// Field adds a field to it; the name must be lower case.
	Field(name string, value []byte)
	// Pass adds a field that a backend sent.
	Pass(f *Field)
	// Frame ends the head of an answer whose body has length bytes, or
	// Unknown. Nothing is written yet.
	Frame(length int64)
	// Write writes the head, if it was not, and p, a part of the body.
	Write(p []byte) error
	// Finish writes what is left of the answer: p, the last part of the body,
	// and trailers, which may be nil.
	Finish(p []byte, trailers *Fields) error
	// Abort ends the answer so that the client sees that it is not whole, because of
	// r. After client_closed nobody is there to see it.
	Abort(r reason.Reason)
	// Switch answers that the protocol is a websocket from here on, with the backend's
	// fields. What follows of the request and of the answer goes through the Tunnel.
	Switch(fields *Fields) (Tunnel, error)
}

// Tunnel is the client's side of a websocket. Read and Write may be called at the
// same time; Close ends both, and so does a deadline that has passed.
type Tunnel interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}
