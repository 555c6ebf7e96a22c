package supervisor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Prober comes in by the gate's own listeners. One goroutine at a time may call Probe;
// Own may be called at any time.
type Prober struct {
	from atomic.Pointer[netip.AddrPort] // of the connection that is being made or used; nil for none
}

// Own reports whether a connection from there is the prober's. Nobody else can have that
// address and port as long as it has them.
func (p *Prober) Own(from netip.AddrPort) bool {
	own := p.from.Load()
	return own != nil && *own == from
}

// Probe asks at each door, one after the other, until one does not answer as it should
// or ctx ends.
func (p *Prober) Probe(ctx context.Context, doors []Door) error {
	for i := range doors {
		if err := p.ask(ctx, &doors[i]); err != nil {
			return fmt.Errorf("listener %s: %w", doors[i].Listener, err)
		}
	}
	return nil
}

// ask comes in by one door.
func (p *Prober) ask(ctx context.Context, d *Door) error {
	at, ok, err := d.dialed()
	if err != nil || !ok {
		return err
	}
	dialer := net.Dialer{ControlContext: func(_ context.Context, _, _ string, c syscall.RawConn) error { return p.leave(c, at.Addr()) }}
	defer p.from.Store(nil)
	conn, err := dialer.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if d.TLS {
		return shakeHands(ctx, conn, d)
	}
	return awaitEnd(ctx, conn)
}

// leave gives the socket its own address and port, which Own knows before the gate can
// see them.
func (p *Prober) leave(c syscall.RawConn, addr netip.Addr) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		if failed = unix.Bind(int(fd), socketAddress(addr)); failed != nil {
			return
		}
		var bound unix.Sockaddr
		if bound, failed = unix.Getsockname(int(fd)); failed == nil {
			from := netip.AddrPortFrom(addr, portOf(bound))
			p.from.Store(&from)
		}
	})
	return errors.Join(err, failed)
}

func socketAddress(addr netip.Addr) unix.Sockaddr {
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4()}
	}
	return &unix.SockaddrInet6{Addr: addr.As16()}
}

func portOf(bound unix.Sockaddr) uint16 {
	switch a := bound.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}

func shakeHands(ctx context.Context, conn net.Conn, d *Door) error {
	err := tls.Client(conn, d.config()).HandshakeContext(ctx)
	if d.Refuses && refused(err) {
		return nil
	}
	return err
}

// awaitEnd waits until the gate has closed the connection, which it does as soon as it
// has taken it. That the system has taken it means nothing.
func awaitEnd(ctx context.Context, conn net.Conn) error {
	if end, ok := ctx.Deadline(); ok {
		conn.SetReadDeadline(end) //nolint:errcheck // the read fails if this does
	}
	_, err := conn.Read(make([]byte, 1))
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("the connection was not taken: %w", err)
}
