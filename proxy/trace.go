package proxy

import (
	"encoding/hex"
	"math/rand/v2"

	"github.com/trackgate/trackgate/proxy/wire"
)

// maxRequestID is how long the request id of a trusted proxy may be; the log shows it
// whole.
const maxRequestID = 128

// requestID returns the name of the exchange in the logs of all that take part: the one
// that a trusted proxy gave it, else 128 random bits. Others could choose one to hide
// behind another exchange.
func (x *exchange) requestID() []byte {
	if id, ok := x.req.Fields.Once(wire.RequestID); ok && wellNamed(id) && x.listener.trusted.Contains(x.conn.client) {
		return id
	}
	if x.id[0] == 0 {
		var raw [16]byte
		high, low := rand.Uint64(), rand.Uint64()
		for i := range 8 {
			raw[i], raw[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
		}
		hex.Encode(x.id[:], raw[:])
	}
	return x.id[:]
}

// wellNamed reports whether a request id has only what no log, shell or query takes for
// something else.
func wellNamed(id []byte) bool {
	for _, c := range id {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return 0 < len(id) && len(id) <= maxRequestID
}

// A traceparent is a version, the ids of the trace and of the caller's span, and flags
// (W3C Trace Context, section 3.2.2). Later versions may add to it.
const (
	traceAt, traceEnd = 3, 35
	spanAt, spanEnd   = 36, 52
	parentLen         = 55
)

// traceID returns the id of the trace that the request belongs to, or nil if none can be
// read with certainty. It is for the log alone: traceparent and tracestate are passed on
// as they came, whoever sent them, as nginx, Envoy and Traefik do unless they trace
// themselves. What a trace of a stranger is worth, those who collect traces know.
func traceID(fields *wire.Fields) []byte {
	v, ok := fields.Once(wire.TraceParent)
	if !ok || len(v) < parentLen || v[2] != '-' || v[traceEnd] != '-' || v[spanEnd] != '-' {
		return nil
	}
	version, flags := v[:2], v[spanEnd+1:parentLen]
	if !lowerHex(version) || string(version) == "ff" || !lowerHex(flags) {
		return nil
	}
	if len(v) > parentLen && (string(version) == "00" || v[parentLen] != '-') {
		return nil
	}
	if !named(v[traceAt:traceEnd]) || !named(v[spanAt:spanEnd]) {
		return nil
	}
	return v[traceAt:traceEnd]
}

// named reports whether id is one: hexadecimal, and not all zeros.
func named(id []byte) bool {
	for _, c := range id {
		if c != '0' {
			return lowerHex(id)
		}
	}
	return false
}

func lowerHex(p []byte) bool {
	for _, c := range p {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}
