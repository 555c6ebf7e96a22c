package proxy

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Inherit has Listen use a socket that listens already instead of opening one, if it is at
// an address of the settings: it comes from the process that this one takes over from, or
// from a service manager. Listen closes one that is not used.
func (g *Gate) Inherit(socket *net.TCPListener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inherited = append(g.inherited, socket)
}

// Drained returns the addresses of the backends that operators have drained, by pool.
func (g *Gate) Drained() map[string][]string {
	drained := map[string][]string{}
	for name, p := range g.current.Load().pools {
		if addrs := p.Drained(); len(addrs) > 0 {
			drained[name] = addrs
		}
	}
	return drained
}

// InheritDrained has backends take no new work that operators have drained in the process
// that this one takes over from. It comes before Run. What the settings do not have any
// more is left out.
func (g *Gate) InheritDrained(drained map[string][]string) {
	for name, p := range g.current.Load().pools {
		p.Inherit(drained[name])
	}
}

// heir returns the inherited socket of an address, nil for none.
func (g *Gate) heir(a *address) *port {
	for i, l := range g.inherited {
		if ListensAt(a.name, l.Addr()) {
			g.inherited = slices.Delete(g.inherited, i, i+1)
			return newPort(l, a)
		}
	}
	return nil
}

// ListensAt reports whether an address of the settings is where a socket listens. No
// host, "0.0.0.0" and "::" are all alike: what is inherited was opened for such a one.
func ListensAt(setting string, at net.Addr) bool {
	is, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return false
	}
	host, _, _ := net.SplitHostPort(setting)
	wanted, err := net.ResolveTCPAddr("tcp", setting)
	if err != nil || wanted.Port != int(is.Port()) {
		return false
	}
	addr := wanted.AddrPort().Addr().Unmap()
	if host == "" || addr.IsUnspecified() {
		return is.Addr().IsUnspecified()
	}
	return addr == is.Addr().Unmap()
}

// Sockets returns those that the gate accepts at, for a process that takes over.
func (g *Gate) Sockets() (sockets []syscall.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.ports {
		sockets = append(sockets, p.socket)
	}
	return sockets
}

// HandOver has the end of Run be another one: another process accepts at the sockets
// already, so that nobody is refused, and there is no hurry.
func (g *Gate) HandOver() { g.handedOver.Store(true) }
