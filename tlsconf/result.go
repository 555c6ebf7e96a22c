package tlsconf

import (
	"context"
	"crypto/tls"
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

// HandshakeResults returns every word HandshakeResult may return.
func HandshakeResults() []string {
	return []string{
		resultOK, resultUnknownName, resultProtocolVersion, resultNoSharedCipher, resultNoSharedProtocol,
		resultTimeout, resultNotTLS, resultClientClosed, resultClientAlert, resultFailed,
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
	return byText(err.Error())
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
	}
	for _, b := range beginnings {
		if strings.HasPrefix(text, b.text) {
			return b.result
		}
	}
	return resultFailed
}
