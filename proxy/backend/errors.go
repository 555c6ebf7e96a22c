package backend

import (
	"errors"
	"net"
	"syscall"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
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

// kindOf returns the kind of an error on a connection that was made.
func kindOf(err error) Kind {
	var timeout net.Error
	var unreadable *wire.Error
	switch {
	case errors.As(err, &unreadable), unsealable(err):
		return Garbled
	case errors.As(err, &timeout) && timeout.Timeout(), gaveUp(err):
		return Timeout
	}
	return Closed
}

// gaveUp reports whether TCP gave up on a host that no longer answers. It says
// something else than ETIMEDOUT when a router on the way has told why.
func gaveUp(err error) bool {
	return errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// ResultError says how and when an exchange with a backend failed.
type ResultError struct {
	Kind   Kind
	Addr   string
	Unread bool // the backend ended the connection without having read all of the request
	Err    error
}

// Error names the backend and the cause.
func (e *ResultError) Error() string {
	cause := e.Err
	var op *net.OpError
	if errors.As(cause, &op) && op.Err != nil {
		cause = op.Err // the rest of it is the address, once more
	}
	return "backend " + e.Addr + ": " + cause.Error()
}

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
// was acted upon, because nobody was reached, or because the backend closed the
// connection, for having been idle or as it stopped, and did not read what had come.
func MayRepeat(err error) bool {
	var e *ResultError
	if errors.As(err, &e) {
		return e.Kind == ConnectFailed || e.Unread
	}
	return errors.Is(err, ErrStale)
}
