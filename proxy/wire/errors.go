package wire

import (
	"errors"

	"github.com/trackgate/trackgate/internal/reason"
)

// ErrShort says that the bytes so far are the beginning of a message that may
// still become a good one.
var ErrShort = errors.New("message is not complete")

// Error says why a message was not accepted. Nothing after it on the
// connection may be interpreted.
type Error struct {
	Reason reason.Reason
	What   string // what was wrong, in words, without client bytes
}

// Error returns the reason and what was wrong.
func (e *Error) Error() string { return e.Reason.String() + ": " + e.What }

// ReasonOf returns the reason an error carries, or otherwise if it has none.
func ReasonOf(err error, otherwise reason.Reason) reason.Reason {
	if err == nil {
		return otherwise // errors.As has what it fills on the heap
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return otherwise
}
