package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"github.com/trackgate/trackgate/internal/metrics"
)

// listen opens the socket of an address. TCP keep-alive is off: an idle
// connection has a shorter deadline than any probe would need.
func listen(ctx context.Context, a *address) (*port, error) {
	config := net.ListenConfig{KeepAlive: -1}
	l, err := config.Listen(ctx, "tcp", a.name)
	if err != nil {
		return nil, fmt.Errorf("listener %s: address %s: %w%s", a.listeners[0].name, a.name, err, Holder(a.name, err))
	}
	p := &port{socket: l.(*net.TCPListener)}
	p.address.Store(a)
	return p, nil
}

// Waits after an accept that failed, such as for want of file descriptors: it
// must not become a busy loop.
const (
	shortestBreak = 5 * time.Millisecond
	longestBreak  = 500 * time.Millisecond
)

// acceptAll accepts connections until the socket is closed.
func (g *Gate) acceptAll(p *port) {
	pause := shortestBreak
	for {
		tcp, err := p.socket.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			g.parts.Log.Warn().Err(err).Str("address", p.address.Load().name).Msg("a connection could not be accepted")
			g.register.shed()
			time.Sleep(pause)
			pause = min(2*pause, longestBreak)
			continue
		}
		pause = shortestBreak
		g.take(tcp, p)
	}
}

// take serves a connection on a goroutine of its own, if the limits allow it.
func (g *Gate) take(tcp *net.TCPConn, p *port) {
	c := &conn{gate: g, port: p, address: p.address.Load()}
	c.lane.conn = c
	if c.Init(tcp) != nil {
		tcp.Close()
		return
	}
	c.peer = ip(tcp.RemoteAddr())
	c.local = ip(tcp.LocalAddr())
	c.client = c.peer
	c.accepted = time.Now()
	c.own = g.owns(tcp)
	if refusal := g.opened(c); refusal != metrics.NotRefused {
		c.refuse(refusal)
		tcp.SetLinger(0) //nolint:errcheck // best effort: a refusal costs the client nothing to learn
		tcp.Close()
		return
	}
	g.crew.assign(c)
}

// start reads the PROXY header, if this address has them, and does the
// handshake. It reports whether requests may follow.
func (c *conn) start() bool {
	c.nc = c
	if c.own {
		c.answerProbe()
		return false
	}
	if refusal := c.introduce(); refusal != metrics.NotRefused {
		c.refuse(refusal)
		return false
	}
	c.clientText = c.client.AppendTo(make([]byte, 0, 40))
	if c.handshake() != nil {
		return false
	}
	c.station.Store(c.listener.station)
	c.h1.Init(c.nc, &c.listener.config)
	c.listener.metrics.Opened(c.protocol())
	return true
}

// introduce finds out who the client is and whether it may speak.
func (c *conn) introduce() metrics.Refusal {
	if c.address.proxied {
		switch {
		case !c.address.senders.Contains(c.peer):
			return metrics.NotASender
		case c.readProxyHeader() != nil:
			return metrics.BadProxyHeader
		case !c.gate.counted(c):
			return metrics.ClientHasMany
		}
	}
	if !c.address.admits(c.client) {
		return metrics.NotAClient
	}
	if !c.mayShakeHands() {
		return metrics.ClientHurries
	}
	return metrics.NotRefused
}

// mayShakeHands reports whether the client may begin another handshake already: each
// costs more than a hundred requests do. A trusted proxy brings many clients.
func (c *conn) mayShakeHands() bool {
	if c.address.tls == nil || c.address.listeners[0].trusted.Contains(c.client) {
		return true
	}
	return c.gate.handshakes.Allow(c.client, time.Now())
}

// refuse tells operators of a connection that is closed without a handshake:
// clients are not told why, and no line of the access log comes of it.
func (c *conn) refuse(r metrics.Refusal) {
	c.gate.parts.Metrics.Refused(c.address.name, r)
	c.gate.complaints.Warn().Str("address", c.address.name).Stringer("client", c.client).
		Str("cause", r.String()).Msg("a connection was refused")
}

// maxProxyHeader is how long a PROXY header may be: 16 bytes and 520 of
// addresses and TLVs for version 2, 107 for version 1.
const maxProxyHeader = 536

// admits reports whether a listener of the address may answer the client. Only
// where all drop strangers is that decided before a byte is read; a trusted proxy
// has still to say who asks.
func (a *address) admits(client netip.Addr) bool {
	for _, l := range a.listeners {
		if !l.drop || l.clients.Contains(client) || l.trusted.Contains(client) {
			return true
		}
	}
	return false
}

// readProxyHeader reads the PROXY header (version 1 or 2) that a named sender
// must begin with, within the time for a handshake. Nobody else may connect:
// whoever could would choose its own address.
func (c *conn) readProxyHeader() error {
	c.SetReadDeadline(c.accepted.Add(c.gate.timeouts().Handshake)) //nolint:errcheck // the read fails if this does
	limited := &io.LimitedReader{R: c.TCPConn, N: maxProxyHeader}
	reader := bufio.NewReaderSize(limited, maxProxyHeader)
	header, err := proxyproto.Read(reader)
	if err != nil {
		return fmt.Errorf("PROXY header: %w", err)
	}
	if header.Command.IsProxy() {
		source, ok := header.SourceAddr.(*net.TCPAddr)
		if !ok {
			return errors.New("PROXY header: not a TCP address")
		}
		c.client = source.AddrPort().Addr().Unmap()
	}
	c.ahead, err = reader.Peek(reader.Buffered())
	c.ahead = append([]byte(nil), c.ahead...)
	return err
}

// ip returns the address without port and zone, IPv4 as itself.
func ip(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
