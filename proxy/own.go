package proxy

import (
	"crypto/tls"
	"net"
	"net/netip"
)

// owns reports whether a connection is a probe of the program itself.
func (g *Gate) owns(tcp *net.TCPConn) bool {
	if g.parts.Own == nil {
		return false
	}
	from, ok := tcp.RemoteAddr().(*net.TCPAddr)
	return ok && g.parts.Own(netip.AddrPortFrom(from.AddrPort().Addr().Unmap(), uint16(from.Port)))
}

// answerProbe does the handshake of a probe of our own. It is no client: neither limits
// nor a PROXY header nor ranges stand before it, nobody counts it, and no request can
// follow. On plain HTTP that the connection is closed is all there is to learn.
func (c *conn) answerProbe() {
	if c.address.tls == nil {
		return
	}
	c.TCPConn.SetDeadline(c.accepted.Add(c.gate.timeouts().Handshake)) //nolint:errcheck // the handshake fails if this does
	tls.Server(c, c.address.tls).Handshake()                           //nolint:errcheck // the probe has seen how it ended
	c.listener = nil
}
