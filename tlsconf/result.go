package tlsconf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// How a handshake can end. The list is closed: it labels a metric.
const (
	resultOK               = "ok"
	resultUnknownName      = "unknown_name"
	resultProtocolVersion  = "protocol_version"
	resultNoSharedCipher   = "no_shared_cipher"
	resultNoSharedProtocol = "no_shared_protocol"
	resultTimeout          = "timeout"
	resultNotTLS           = "not_tls"
	resultClientClosed     = "client_closed"
	resultClientAlert      = "client_alert"
	resultFailed           = "failed"
)

// How one can end on a listener that clients show certificates to.
const (
	resultClientNone      = "client_certificate_missing"
	resultClientUntrusted = "client_certificate_untrusted" // not signed by the CA, or of no use for this
	resultClientExpired   = "client_certificate_expired"   // or not valid yet
	resultClientRevoked   = "client_certificate_revoked"
	resultClientName      = "client_certificate_name" // none of names
	resultClientUnchecked = "client_certificate_unchecked"
)

// HandshakeResults returns every word HandshakeResult may return.
func HandshakeResults() []string {
	return []string{
		resultOK, resultUnknownName, resultProtocolVersion, resultNoSharedCipher, resultNoSharedProtocol,
		resultTimeout, resultNotTLS, resultClientClosed, resultClientAlert, resultFailed,
		resultClientNone, resultClientUntrusted, resultClientExpired, resultClientRevoked, resultClientName, resultClientUnchecked,
	}
}

// HandshakeResult returns one word for the error of a server's handshake. The
// word never holds anything that a client sent.
func HandshakeResult(err error) string {
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return resultTimeout
	case notTLS(err):
		return resultNotTLS
	case clientAlert(err):
		return resultClientAlert
	case clientClosed(err):
		return resultClientClosed
	}
	if result := clientRefused(err); result != "" {
		return result
	}
	return byText(err.Error())
}

// clientRefused returns the word for a client's certificate, "" if it was not that.
func clientRefused(err error) string {
	if refusal, ok := errors.AsType[*clientError](err); ok {
		return refusal.result
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		return ""
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return resultClientExpired
	}
	return resultClientUntrusted
}

func notTLS(err error) bool {
	record, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok && record.Conn != nil
}

func clientAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

func clientClosed(err error) bool {
	closings := []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE}
	return slices.ContainsFunc(closings, func(closing error) bool { return errors.Is(err, closing) })
}

// byText knows the errors of crypto/tls that have no type. A test with real
// handshakes keeps the beginnings true.
func byText(text string) string {
	beginnings := []struct{ text, result string }{
		{"tls: no certificates configured", resultUnknownName},
		{"tls: client offered only unsupported versions", resultProtocolVersion},
		{"tls: unsupported SSLv2 handshake", resultProtocolVersion},
		{"tls: no cipher suite supported", resultNoSharedCipher},
		{"tls: no key exchanges supported", resultNoSharedCipher},
		{"tls: client requested unsupported application protocols", resultNoSharedProtocol},
		{"tls: client didn't provide a certificate", resultClientNone},
		{"tls: failed to parse client certificate", resultClientUntrusted},
		{"tls: invalid signature by the client certificate", resultClientUntrusted},
		{"tls: client sent certificate containing RSA key", resultClientUntrusted},
		{"tls: client certificate contains an unsupported public key", resultClientUntrusted},
	}
	for _, b := range beginnings {
		if strings.HasPrefix(text, b.text) {
			return b.result
		}
	}
	return resultFailed
}
