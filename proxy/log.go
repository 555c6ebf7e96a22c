package proxy

import (
	"encoding/hex"
	"math/rand/v2"
	"time"

	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/proxy/wire"
)

// log writes the line of the exchange.
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
	g.parts.Access.Write(e)
}

// requestID returns the name of the exchange in logs: 128 random bits.
func (x *exchange) requestID() []byte {
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
