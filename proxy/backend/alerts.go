package backend

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
)

// crypto/tls tells of alerts by a net.OpError with one of these.
const (
	alertHeard = "remote error" // the backend sent it
	alertSent  = "local error"  // what the backend sent cannot be read
)

// handshakeAlerts are those by which a backend does not let the gate in. Over TLS
// 1.3 the gate hears of it only when it reads for the first time, its own part of
// the handshake being over (RFC 8446 sections 4.4.2.4 and 6.2).
var handshakeAlerts = []tls.AlertError{
	40,  // handshake_failure
	42,  // bad_certificate
	43,  // unsupported_certificate
	44,  // certificate_revoked
	45,  // certificate_expired
	46,  // certificate_unknown
	48,  // unknown_ca
	49,  // access_denied
	51,  // decrypt_error
	116, // certificate_required
}

// alerted reports whether the backend said by an alert what it did not like.
func alerted(err error) bool {
	op := alertOf(err)
	return op != nil && op.Op == alertHeard
}

// refusesHandshake reports whether the backend did not let the gate in: it has
// read nothing of a request then.
func refusesHandshake(err error) bool {
	return alerted(err) && slices.ContainsFunc(handshakeAlerts, func(a tls.AlertError) bool {
		return a.Error() == alertOf(err).Err.Error()
	})
}

// unsealable reports whether what the backend sent is no TLS, or not what its own
// end of the connection wrote.
func unsealable(err error) bool {
	var header tls.RecordHeaderError
	op := alertOf(err)
	return errors.As(err, &header) || op != nil && op.Op == alertSent
}

func alertOf(err error) *net.OpError {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == alertHeard || op.Op == alertSent) {
		return op
	}
	return nil
}
