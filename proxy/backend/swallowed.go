package backend

import (
	"errors"
	"io"
)

// swallowed reports whether the backend had read the whole request when the
// connection ended, before the first byte of an answer: then it may have acted
// upon it, and died over it.
//
// The kernel knows. A process that ends a connection, or is killed, with bytes on
// it that it has not read, resets it (RFC 2525 section 2.17), and so does one
// that had ended it before they came; if the reset is still on its way, the bytes
// are not acknowledged yet. Only where all of them are, and the end is an orderly
// one, were they read. Over TLS an end that was announced is that of an idle
// connection: who dies announces nothing.
func (c *Conn) swallowed(err error) bool {
	if announced := c.tls != nil && c.tls.farewell(); announced || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	info, failed := c.info()
	return failed == nil && info.State == closeWait && info.Unacked == 0 && info.Notsent_bytes == 0
}
