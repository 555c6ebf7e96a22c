package wire

// Stream is the client's side of one exchange. It is used by one goroutine at
// a time. A method that fails leaves the Stream unusable but for Abort.
type Stream interface {
	// Hold reads the body if it fits into max bytes; whole says whether it did.
	// If not, body is the part that was read, perhaps none, and Read goes on
	// behind it. The slice is valid until the exchange ends.
	Hold(max int) (body []byte, whole bool, err error)
	// Read reads what Hold has left of the body; io.EOF follows its last byte.
	Read(p []byte) (int, error)
	// Trailers returns the fields after the body, once it was read to its end.
	Trailers() *Fields

	// Inform writes an informational answer with those of fields that are not
	// gone; fields may be nil.
	Inform(status int, fields *Fields) error
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
	// Abort ends the answer so that the client sees that it is not whole.
	Abort()
}
