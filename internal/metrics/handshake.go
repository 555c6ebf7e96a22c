package metrics

// Handshake is how a TLS handshake ended.
type Handshake uint8

// The results.
const (
	HandshakeOK              Handshake = iota
	HandshakeResumed                   // fine as well, by a ticket
	HandshakeTimeout                   // not done in time
	HandshakeUnknownName               // no listener has the name that was asked for
	HandshakeClientClosed              // the client went away in the middle
	HandshakeClientAlert               // the client refused: it does not trust the certificate, say
	HandshakeVersion                   // no version in common
	HandshakeCipher                    // no cipher suite in common
	HandshakeProtocol                  // no application protocol in common
	HandshakeNotTLS                    // what came was no handshake
	HandshakeClientMissing             // no certificate of the client's, where there has to be one
	HandshakeClientUntrusted           // not signed by the listener's CA, or not for this use
	HandshakeClientExpired             // ended, or not valid yet
	HandshakeClientRevoked             // on the list of its CA
	HandshakeClientName                // none of the names that may come
	HandshakeClientUnchecked           // no list that holds says whether it is revoked
	HandshakeFailed                    // anything else
	handshakeCount
)

// HandshakeNamed returns the result with that word, HandshakeFailed if there is
// none.
func HandshakeNamed(word string) Handshake {
	for h := HandshakeOK; h < HandshakeFailed; h++ {
		if h.String() == word {
			return h
		}
	}
	return HandshakeFailed
}

// String returns the word, e.g. "unknown_name".
func (h Handshake) String() string {
	return [handshakeCount]string{
		HandshakeOK:              "ok",
		HandshakeResumed:         "resumed",
		HandshakeTimeout:         "timeout",
		HandshakeUnknownName:     "unknown_name",
		HandshakeClientClosed:    "client_closed",
		HandshakeClientAlert:     "client_alert",
		HandshakeVersion:         "protocol_version",
		HandshakeCipher:          "no_shared_cipher",
		HandshakeProtocol:        "no_shared_protocol",
		HandshakeNotTLS:          "not_tls",
		HandshakeClientMissing:   "client_certificate_missing",
		HandshakeClientUntrusted: "client_certificate_untrusted",
		HandshakeClientExpired:   "client_certificate_expired",
		HandshakeClientRevoked:   "client_certificate_revoked",
		HandshakeClientName:      "client_certificate_name",
		HandshakeClientUnchecked: "client_certificate_unchecked",
		HandshakeFailed:          "failed",
	}[h]
}
