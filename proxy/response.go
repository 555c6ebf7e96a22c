package proxy

import (
	"github.com/trackgate/trackgate/proxy/wire"
)

// passHead starts the client's answer with the backend's status and fields.
func (x *exchange) passHead() {
	res := x.res
	x.open(res.Status)
	res.Fields.DropHops()
	fields := res.Fields.All()
	for i := range fields {
		if f := &fields[i]; !f.Gone && !x.keptBack(f) {
			x.stream.Pass(f)
		}
	}
	x.edgeFields()
	x.stream.Frame(x.length())
}

// open begins the head of the client's answer. Where the connection
// is leaving it is the last one.
func (x *exchange) open(status int) {
	x.status = status
	if x.conn.leaving() {
		x.stream.Last()
	}
	x.stream.Start(status)
}

// keptBack reports whether a field of the backend is not for the client.
func (x *exchange) keptBack(f *wire.Field) bool {
	switch f.ID {
	case wire.ContentLength:
		return true
	case wire.Server, wire.ProcessTime:
		return x.listener.public()
	case wire.AccessControl:
		return !x.listener.cors.off
	case wire.StrictTransportSecurity:
		return x.listener.hsts != nil
	}
	return false
}

// length returns how many bytes the client's body will have. An answer without
// a body may still say the length it would have had.
func (x *exchange) length() int64 {
	res := x.res
	if res.Status == 204 {
		return wire.Unknown
	}
	if !wire.HasBody(res.Status, x.req.Method) && res.Fields.Count(wire.ContentLength) == 0 {
		return wire.Unknown
	}
	return res.Length
}

// edgeFields adds what the listener adds to every answer.
func (x *exchange) edgeFields() {
	if !x.listener.cors.off {
		x.corsFields()
	}
	x.hstsField()
}

// hstsField tells browsers to come by HTTPS only (RFC 6797), if the listener does.
func (x *exchange) hstsField() {
	if x.listener.hsts != nil {
		x.stream.Field("strict-transport-security", x.listener.hsts)
	}
}

// stream passes a body on as it comes. The head does not wait for a body that is
// not there yet.
func (g *Gate) stream(x *exchange) error {
	if !x.bc.Buffered() {
		x.answered = true
		if err := x.stream.Write(nil); err != nil {
			return x.cut(err)
		}
	}
	for {
		p, last, err := x.bc.ReadBody()
		if err != nil {
			return x.cut(err)
		}
		x.answered = true
		x.count(len(p))
		if last {
			err := x.stream.Finish(p, x.bc.Trailers())
			x.release()
			return err
		}
		if err := x.stream.Write(p); err != nil {
			return x.cut(err)
		}
	}
}

// cut ends an attempt in the middle of its answer.
func (x *exchange) cut(err error) error {
	x.giveUp(err)
	return err
}
