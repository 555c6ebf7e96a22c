package backend

import (
	"errors"

	"github.com/trackgate/trackgate/internal/reason"
)

// ErrStale says that a kept connection turned out closed, or had bytes waiting,
// before anything was written to it.
var ErrStale = errors.New("the kept connection was closed by the backend")

// Kind says how an exchange with a backend failed.
type Kind uint8

// The kinds of failure.
const (
	ConnectFailed Kind = iota
	Closed             // the connection ended before the answer did
	Timeout            // the answer did not come in time
	Garbled            // the answer cannot be read with certainty
)

// ResultError says how and when an exchange with a backend failed.
type ResultError struct {
	Kind   Kind
	Addr   string
	Reused bool // on a kept connection, before the first byte of an answer
	Err    error
}

// Error names the backend and the cause.
func (e *ResultError) Error() string { return "backend " + e.Addr + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ResultError) Unwrap() error { return e.Err }

// Reason returns why the exchange failed, as the client is told.
func (e *ResultError) Reason() reason.Reason {
	switch e.Kind {
	case ConnectFailed:
		return reason.ConnectFailed
	case Timeout:
		return reason.BackendTimeout
	case Garbled:
		return reason.BackendMalformed
	default:
		return reason.BackendClosed
	}
}

// MayRepeat reports whether the same request may be sent again: nothing of it
// can have been acted upon.
func MayRepeat(err error) bool {
	var e *ResultError
	if errors.As(err, &e) {
		return e.Kind == ConnectFailed || e.Reused
	}
	return errors.Is(err, ErrStale)
}
