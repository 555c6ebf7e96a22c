package proxy

import (
	"net"
	"net/netip"
	"os"
	"slices"
)

// Inherit has Listen use sockets that listen already instead of opening its own, where one
// of them is at an address of the settings: they come from the process that this one takes
// over from, or from a service manager. Listen closes the others.
func (g *Gate) Inherit(sockets []*net.TCPListener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inherited = sockets
}

// heir returns the inherited socket of an address, nil for none.
func (g *Gate) heir(a *address) *port {
	for i, l := range g.inherited {
		if sameAddress(a.name, l.Addr()) {
			g.inherited = slices.Delete(g.inherited, i, i+1)
			return newPort(l, a)
		}
	}
	return nil
}

// sameAddress reports whether an address of the settings is where a socket listens. No
// host, "0.0.0.0" and "::" are all alike: what is inherited was opened for such a one.
func sameAddress(setting string, at net.Addr) bool {
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

// Files returns copies of the sockets, for a process that takes over. The caller closes
// them.
func (g *Gate) Files() (files []*os.File, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.ports {
		f, err := p.socket.File()
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// HandOver has Run end without announcing it: another process accepts at the sockets
// already.
func (g *Gate) HandOver() { g.handedOver.Store(true) }
