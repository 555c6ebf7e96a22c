package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// vanished is how long a host may be silent, to keep-alive probes of an idle
// connection and to what was written, until it counts as gone. Nothing else ends
// a wait for the answer of a host that lost its power.
const vanished = 9 * time.Second

// sessions is how many TLS sessions are kept for resumption. A Conns asks under
// one name, and so has one of them.
const sessions = 2

// dialer makes connections that notice when the backend's host is gone.
func dialer(timeout time.Duration) net.Dialer {
	return net.Dialer{
		Timeout: timeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: vanished / 3, Interval: 2 * time.Second, Count: 3,
		},
		Control: func(_, _ string, raw syscall.RawConn) error { return setPatience(raw, vanished) },
	}
}

// setPatience says how long TCP waits for the backend to take what is written
// (TCP_USER_TIMEOUT, RFC 5482). That ends a connection also when the backend
// lives and takes nothing, its window being closed.
func setPatience(raw syscall.RawConn, d time.Duration) (err error) {
	ended := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
	if ended != nil {
		return ended
	}
	return err
}

func (c *Conn) setPatience(d time.Duration) {
	setPatience(c.raw, d) //nolint:errcheck // it was set when the connection was made; one that is closed needs none
}

// Dial makes a connection, with its TLS handshake, once there is a place for it. Its error
// is a *ResultError of kind ConnectFailed.
func (k *Conns) Dial(ctx context.Context) (*Conn, error) {
	c, err := k.dial(ctx)
	if err != nil {
		return nil, &ResultError{Kind: ConnectFailed, Addr: k.addr, Err: err}
	}
	c.placed.Store(true)
	c.begin(false)
	return c, nil
}

// dial makes a connection that has a place. Where there is no file descriptor all the
// same, it tries again when another connection has left one.
func (k *Conns) dial(ctx context.Context) (*Conn, error) {
	places, until := k.opts.Places, time.Now().Add(k.opts.Connect)
	err := places.take(k.opts.Connect)
	for err == nil {
		attempt := k.attempts.begin()
		c, failed := k.connect(ctx)
		attempt.end(failed == nil)
		switch {
		case failed == nil:
			return c, nil
		case errors.Is(failed, syscall.EMFILE) || errors.Is(failed, syscall.ENFILE):
			err = places.exchange(time.Until(until))
			continue
		case errors.Is(failed, syscall.ECONNREFUSED):
			k.unused.forget() // it may be another program when it is back
		}
		places.give()
		return nil, failed
	}
	return nil, err
}

func (k *Conns) connect(ctx context.Context) (*Conn, error) {
	until := time.Now().Add(k.opts.Connect)
	nc, err := k.reach(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newConn(nc.(*net.TCPConn), k)
	if err != nil || k.opts.TLS == nil {
		return c, err
	}
	c.tcp.SetDeadline(until) //nolint:errcheck // the handshake fails if this does
	if c.tls, err = seal(ctx, c.tcp, k.trust()); err != nil {
		c.tcp.Close()
		return nil, err
	}
	c.tcp.SetDeadline(time.Time{}) //nolint:errcheck // the exchange fails if this does
	return c, nil
}

// unresolved is how long a name that could not be looked up is not looked up again:
// each time costs a request all of Options.Connect.
const unresolved = 5 * time.Second

// lead is where a name led when it was last looked up, and until when that is not
// done again.
type lead struct {
	addr  string
	until time.Time
}

// reach connects. A name that cannot be looked up leads to where it led the last
// time.
func (k *Conns) reach(ctx context.Context) (net.Conn, error) {
	last := k.last.Load()
	if last != nil && time.Now().Before(last.until) {
		return k.dialer.DialContext(ctx, "tcp", last.addr)
	}
	nc, err := k.dialer.DialContext(ctx, "tcp", k.addr)
	var failed *net.DNSError
	switch {
	case last != nil && errors.As(err, &failed):
		k.last.Store(&lead{last.addr, time.Now().Add(unresolved)})
		return k.dialer.DialContext(ctx, "tcp", last.addr)
	case err == nil && k.named:
		k.last.Store(&lead{addr: nc.RemoteAddr().String()})
	}
	return nc, err
}

// named reports whether addr has a name that has to be looked up.
func named(addr string) bool {
	_, err := netip.ParseAddrPort(addr)
	return err != nil
}

// trust is a configuration as the connections of one backend use it.
type trust struct{ given, used *tls.Config }

// trust returns what new connections are made by. Sessions live and die with it:
// whoever resumes one is not asked for a certificate.
func (k *Conns) trust() *trust {
	given := k.opts.TLS()
	if t := k.trusted.Load(); t != nil && t.given == given {
		return t
	}
	t := &trust{given: given, used: given.Clone()}
	if t.used.ServerName == "" {
		t.used.ServerName = k.serverName()
	}
	t.used.NextProtos = []string{"http/1.1"}
	t.used.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	t.used.DynamicRecordSizingDisabled = true // a request that fits is one record, and so one write
	k.trusted.Store(t)
	return t
}

func (k *Conns) serverName() string {
	if k.opts.ServerName != "" {
		return k.opts.ServerName
	}
	host, _, err := net.SplitHostPort(k.addr)
	if err != nil {
		return k.addr
	}
	return host
}
