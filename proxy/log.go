package proxy

import (
	"time"

	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/proxy/wire"
)

// log writes the line of the exchange, and its span if it is one.
func (g *Gate) log(x *exchange, took time.Duration) {
	e := &x.entry
	*e = accesslog.Entry{
		Time: x.start, Listener: x.listener.name, Client: x.client, Protocol: x.req.Version.String(),
		Method: x.req.Method, Host: x.req.Authority, Path: x.req.Target,
		Status: x.status, Reason: x.reason, BytesIn: x.stream.Taken(), BytesOut: x.bytesOut,
		Duration: took, Attempts: x.attempts, BackendDuration: x.took, Reused: x.reused,
		TLS: x.conn.tlsVersion, RequestID: x.requestID(),
	}
	if x.to != nil {
		e.Backend = x.to.Addr
	}
	e.UserAgent, _ = x.req.Fields.Get(wire.UserAgent)
	e.TraceID = x.traceID()
	g.parts.Access.Write(e)
	if x.traced {
		g.parts.Traces.Record(&x.place, e)
	}
}
