package metrics

// Handshake is how a TLS handshake ended.
type Handshake uint8

// The results.
const (
	HandshakeOK           Handshake = iota
	HandshakeResumed                // fine as well, by a ticket
	HandshakeTimeout                // not done in time
	HandshakeUnknownName            // no listener has the name that was asked for
	HandshakeClientClosed           // the client went away in the middle
	HandshakeFailed                 // anything else: versions, suites, garbage
	handshakeCount
)

// String returns the word, e.g. "unknown_name".
func (h Handshake) String() string {
	return [handshakeCount]string{
		HandshakeOK:           "ok",
		HandshakeResumed:      "resumed",
		HandshakeTimeout:      "timeout",
		HandshakeUnknownName:  "unknown_name",
		HandshakeClientClosed: "client_closed",
		HandshakeFailed:       "failed",
	}[h]
}
