package proxy

import (
	"fmt"
	"net"
	"sync/atomic"

	"github.com/trackgate/trackgate/configs"
)

// port is a socket where connections are accepted. It outlives snapshots, for as long as
// the settings have its address.
type port struct {
	socket  *net.TCPListener
	address atomic.Pointer[address] // of the current snapshot, or the last one that had it
}

func newPort(l *net.TCPListener, a *address) *port {
	p := &port{socket: l}
	p.address.Store(a)
	return p
}

// station is a listener as its connections know it. It outlives snapshots as long as the
// terms on which they came stay the same.
type station struct {
	terms   terms
	current atomic.Pointer[listener]
	ended   atomic.Bool // the settings have it no more: its connections are to leave
}

// terms are what holds for a connection from its beginning to its end. All else that
// settings say of a listener is looked up for each request.
type terms struct {
	tls, http2 bool
	minVersion string
	clients    string // whose certificates are asked for
	senders    string // of PROXY headers: they have said who the client is
	limits     configs.Limits
	timeouts   configs.Timeouts
}

func termsOf(l configs.Listener, all *configs.Settings) terms {
	timeouts := all.Timeouts
	timeouts.Announce, timeouts.Drain = 0, 0 // of the whole gate
	return terms{
		tls: l.TLS, http2: l.HTTP2, minVersion: l.MinVersion, clients: fmt.Sprint(l.ClientCertificates),
		senders: fmt.Sprint(l.ProxyProtocol), limits: l.Limits, timeouts: timeouts,
	}
}
