package wire

import (
	"github.com/trackgate/trackgate/internal/reason"
)

// Limits bound a message.
type Limits struct {
	Head   int   // bytes of start line and fields
	Target int   // bytes of the request target
	Fields int   // how many
	Body   int64 // bytes of a request's body
}

// Errors that say nothing of the message they came from are made once.
var (
	ErrTarget = &Error{Reason: reason.TargetTooLong, What: "the request target is over the limit"}
	ErrHead   = &Error{Reason: reason.HeadTooLarge, What: "the head is over the limit"}
	ErrFields = &Error{Reason: reason.HeadTooLarge, What: "there are more fields than the limit"}
	ErrBody   = &Error{Reason: reason.BodyTooLarge, What: "the body is over the limit"}
	// ErrLength keeps an answer of the wrong length from being taken for a whole one,
	// and what is beyond it for the next answer.
	ErrLength = &Error{Reason: reason.BackendMalformed, What: "the answer's body is not as long as was said"}
)

// The bytes of a method, a target and a registered name, as bits.
const (
	methodByte = 1 << iota // letters, digits and "-"
	targetByte             // VCHAR but "#"
	hostByte               // letters, digits, "-" and "."
)

// grammar tells which of them a byte may be in.
var grammar = newGrammar()

func newGrammar() (table [256]uint8) {
	for c := 0x21; c < 0x7f; c++ {
		table[c] = targetByte
	}
	table['#'] = 0
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") {
		table[c] |= methodByte | hostByte
	}
	table['.'] |= hostByte
	return table
}

// madeOf reports whether all bytes of b, which is not empty, are of that kind.
func madeOf(b []byte, kind uint8) bool {
	for _, c := range b {
		kind &= grammar[c]
	}
	return kind != 0 && len(b) > 0
}

// maxMethod is how long a method may be, in bytes.
const maxMethod = 16

// ValidMethod reports whether b is a plain word of at most 16 letters, digits and
// "-": a token in the one spelling that every backend reads alike (RFC 9110
// section 9.1).
func ValidMethod(b []byte) bool { return len(b) <= maxMethod && madeOf(b, methodByte) }

// ValidTarget reports whether b holds nothing but the bytes that a target may
// have: printable ASCII without a space, and no fragment (RFC 9112 section 3.2).
func ValidTarget(b []byte) bool { return madeOf(b, targetByte) }

// Number reads 1*DIGIT of at most 18 digits, so that it fits an int64.
func Number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// HasBody reports whether an answer with that status to that method has a body
// (RFC 9110 section 6.4.1).
func HasBody(status int, method []byte) bool {
	return status >= 200 && status != 204 && status != 304 && string(method) != "HEAD"
}
