package proxy

import (
	"net/netip"
	"strconv"

	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// joinedRequest is the largest request that is copied together for one write.
const joinedRequest = 12 << 10

// render writes the request as the backend gets it. A small body follows its
// head in the same slice; a larger one is returned as it is.
func (x *exchange) render() (head, body []byte) {
	b := append(x.out[:0], x.req.Method...)
	b = append(b, ' ')
	b = append(b, x.match.Path...)
	b = append(b, x.match.Query...)
	b = append(b, " HTTP/1.1\r\nhost: "...)
	b = append(b, x.req.Authority...)
	b = append(b, '\r', '\n')
	b = x.appendFields(b)
	b = x.appendForwarded(b)
	b = x.appendFraming(b)
	b, body = x.appendBody(b)
	x.out = b
	return b, body
}

// appendBody appends a held body, unless it is large. Trailers need the chunked
// coding.
func (x *exchange) appendBody(b []byte) (head, body []byte) {
	if !x.whole {
		return b, nil
	}
	if t := x.trailers(); t != nil {
		if len(x.held) > 0 {
			b = h1.AppendChunk(b, x.held)
		}
		return h1.AppendLastChunk(b, t), nil
	}
	if len(b)+len(x.held) <= joinedRequest {
		return append(b, x.held...), nil
	}
	return b, x.held
}

// appendFields appends what the client sent and the backend may see.
func (x *exchange) appendFields(b []byte) []byte {
	x.req.Fields.DropHops()
	fields := x.req.Fields.All()
	for i := range fields {
		f := &fields[i]
		if f.Gone || x.withheld(f) {
			continue
		}
		b = h1.AppendField(b, f.Name, f.Value)
	}
	return b
}

// withheld reports whether a field of the client is not for the backend: the
// gate sets it itself, nobody but a proxy may set it, or it has no business on a
// public listener.
func (x *exchange) withheld(f *wire.Field) bool {
	switch f.ID {
	case wire.Other:
		return x.listener.clientIP != "" && string(f.Name) == x.listener.clientIP
	case wire.Host, wire.ContentLength, wire.Expect, wire.XForwardedFor, wire.XRealIP, wire.Spoofable, wire.RequestID:
		return true
	case wire.TraceParent:
		return x.traced
	case wire.TraceState:
		return x.traced && !x.place.HasParent() // of a trace that nobody knows
	case wire.Authorization, wire.Cookie, wire.Private:
		return x.listener.public()
	}
	return false
}

// appendForwarded appends who asks, how, and by which name the log knows it. Tracardi
// takes the value as the address, so it is exactly one. Every field is stored with each
// event, so X-Real-IP is there only in place of the client's own.
func (x *exchange) appendForwarded(b []byte) []byte {
	b = append(b, "x-forwarded-for: "...)
	b = append(b, x.clientText()...)
	b = append(b, "\r\nx-forwarded-proto: "...)
	b = append(b, x.listener.scheme...)
	b = append(b, "\r\nx-forwarded-host: "...)
	b = append(b, x.req.Authority...)
	b = append(b, '\r', '\n')
	b = append(b, "x-request-id: "...)
	b = append(append(b, x.requestID()...), '\r', '\n')
	b = x.appendTrace(b)
	if x.req.Fields.Has(wire.XRealIP) {
		b = x.appendClient(b, "x-real-ip")
	}
	if name := x.listener.clientIP; name != "" {
		b = x.appendClient(b, name)
	}
	return b
}

// appendClient appends a field that carries the client's address.
func (x *exchange) appendClient(b []byte, name string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, x.clientText()...), '\r', '\n')
}

// appendFraming appends how the body is framed, and ends the head. A body that
// is here is sent with its length, whatever the client used.
func (x *exchange) appendFraming(b []byte) []byte {
	switch {
	case x.req.Upgrade:
		return append(b, "connection: upgrade\r\nupgrade: websocket\r\n\r\n"...)
	case !x.whole && x.req.Length == wire.Unknown, x.whole && x.trailers() != nil:
		return append(b, "transfer-encoding: chunked\r\n\r\n"...)
	}
	length := x.req.Length
	if x.whole {
		length = int64(len(x.held))
	}
	if length > 0 || x.req.Length != 0 || x.req.Fields.Count(wire.ContentLength) > 0 || wantsLength(x.req.Method) {
		b = append(b, "content-length: "...)
		b = append(strconv.AppendInt(b, length, 10), '\r', '\n')
	}
	return append(b, '\r', '\n')
}

// wantsLength reports whether a request without a body says so (RFC 9110
// section 8.6).
func wantsLength(method []byte) bool {
	switch string(method) {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}

// trailers returns the fields behind a body that was chunked, or nil. What follows the
// head of an upgrade is not HTTP.
func (x *exchange) trailers() *wire.Fields {
	if x.req.Length != wire.Unknown || x.req.Upgrade {
		return nil
	}
	t := x.listener.strike(x.stream.Trailers())
	for i := range t.All() {
		if !t.All()[i].Gone {
			return t
		}
	}
	return nil
}

// strike takes the field that carries the client's address out of trailers: some
// backends read them like fields.
func (l *listener) strike(t *wire.Fields) *wire.Fields {
	for i := range t.All() {
		if f := &t.All()[i]; l.clientIP != "" && string(f.Name) == l.clientIP {
			f.Gone = true
		}
	}
	return t
}

// trueClient returns the client's address: the connection's, or behind trusted
// proxies the one they saw.
func (x *exchange) trueClient() netip.Addr {
	return x.listener.trueClient(x.conn.client, &x.req.Fields, x.forward[:0])
}

// trueClient returns who is behind peer by the fields of a request. values is scratch.
func (l *listener) trueClient(peer netip.Addr, fields *wire.Fields, values [][]byte) netip.Addr {
	if !l.trusted.Contains(peer) {
		return peer
	}
	for i := range fields.All() {
		if f := &fields.All()[i]; f.ID == wire.XForwardedFor {
			values = append(values, f.Value)
		}
	}
	return l.forwarded.Client(peer, values)
}

// clientText returns the client's address as text.
func (x *exchange) clientText() []byte {
	if x.client == x.conn.client {
		return x.conn.clientText
	}
	if len(x.text) == 0 {
		x.text = x.client.AppendTo(x.text[:0])
	}
	return x.text
}
