package backend

import (
	"crypto/tls"
	"net"
)

// Tunnel ends HTTP on the connection: it returns it with the bytes that were
// read ahead. The caller owns it from then on; its Close does not wait.
func (c *Conn) Tunnel() (nc net.Conn, ahead []byte) {
	if c.tls != nil {
		return tunnel{c.tls.conn, c.tls}, c.in[c.r:c.w]
	}
	return c.tcp, c.in[c.r:c.w]
}

// tunnel is a sealed connection that speaks no HTTP any more.
type tunnel struct {
	*tls.Conn
	s *sealed
}

// Close ends both directions. It does not wait.
func (t tunnel) Close() error {
	t.s.end()
	return nil
}
