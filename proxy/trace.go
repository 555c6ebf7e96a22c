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
		randomHex(x.id[:])
	}
	return x.id[:]
}

// randomHex fills id, of up to 32 digits, with random ones in lower case.
func randomHex(id []byte) {
	var raw [16]byte
	high, low := rand.Uint64(), rand.Uint64()
	for i := range 8 {
		raw[i], raw[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	hex.Encode(id, raw[:len(id)/2])
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

// joinTrace decides whether the exchange is a span of a trace. Whoever is trusted to name
// it is trusted to decide, too; for everybody else lots are drawn, so that strangers cannot
// have the gate tell of all they do. A trace that they have begun is taken up all the same:
// what it is worth, those who collect traces know.
func (g *Gate) joinTrace(x *exchange) {
	if !g.parts.Traces.On() {
		return
	}
	trace, caller, sampled := callerOf(&x.req.Fields)
	if trace != nil && x.listener.trusted.Contains(x.conn.client) {
		x.traced = sampled
	} else {
		x.traced = g.parts.Traces.Chosen()
	}
	if !x.traced {
		return
	}
	randomHex(x.place.Span[:])
	if trace == nil {
		randomHex(x.place.Trace[:])
		return
	}
	copy(x.place.Trace[:], trace)
	copy(x.place.Parent[:], caller)
}

// traceID returns the id of the trace that the exchange belongs to, or nil if none can be
// read with certainty.
func (x *exchange) traceID() []byte {
	if x.traced {
		return x.place.Trace[:]
	}
	trace, _, _ := callerOf(&x.req.Fields)
	return trace
}

// appendTrace appends what the backend's spans hang below. Where the exchange is no span,
// traceparent and tracestate are passed on as they came, whoever sent them, as nginx, Envoy
// and Traefik do unless they trace themselves.
func (x *exchange) appendTrace(b []byte) []byte {
	if !x.traced {
		return b
	}
	b = append(b, "traceparent: 00-"...)
	b = append(append(b, x.place.Trace[:]...), '-')
	b = append(append(b, x.place.Span[:]...), '-')
	return append(b, "01\r\n"...)
}

// callerOf returns the trace and the span that the request comes from, and whether these are
// told of; nil if they cannot be read with certainty.
func callerOf(fields *wire.Fields) (trace, span []byte, sampled bool) {
	v, ok := fields.Once(wire.TraceParent)
	if !ok || len(v) < parentLen || v[2] != '-' || v[traceEnd] != '-' || v[spanEnd] != '-' {
		return nil, nil, false
	}
	version, flags := v[:2], v[spanEnd+1:parentLen]
	if !lowerHex(version) || string(version) == "ff" || !lowerHex(flags) {
		return nil, nil, false
	}
	if len(v) > parentLen && (string(version) == "00" || v[parentLen] != '-') {
		return nil, nil, false
	}
	trace, span = v[traceAt:traceEnd], v[spanAt:spanEnd]
	if !named(trace) || !named(span) {
		return nil, nil, false
	}
	return trace, span, isOdd(flags[1])
}

// isOdd reports whether the lowest bit of a hexadecimal digit is set: the flag sampled
// (section 3.2.2.5).
func isOdd(digit byte) bool {
	if digit >= 'a' {
		return (digit-'a')%2 == 1
	}
	return digit%2 == 1
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
