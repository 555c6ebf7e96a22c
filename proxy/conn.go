package proxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/socket"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// conn is one connection of a client. One goroutine at a time works for it.
type conn struct {
	socket.Conn         // what tls.Server reads from and writes to
	ahead        []byte // bytes behind a PROXY header
	gate         *Gate
	port         *port
	address      *address  // of the snapshot in which it was accepted
	listener     *listener // that it chose then
	nc           net.Conn  // the TLS connection, or the conn itself
	h1           h1.ServerConn
	peer         netip.Addr // of the socket
	client       netip.Addr // who is behind it: the peer, or whom a PROXY header named
	local        netip.Addr
	accepted     time.Time
	counted      bool // among the connections of client
	clientText   []byte
	tlsVersion   string
	known        atomic.Pointer[known]
	station      atomic.Pointer[station] // of listener, once requests may come
	dismissed    atomic.Bool
	waiting      atomic.Bool
	asleep       atomic.Bool           // and nobody has sent it away
	lane         lane                  // of HTTP/1.1
	h2           atomic.Pointer[http2] // nil on HTTP/1.1
	begun        bool                  // the handshake was tried
	own          bool                  // a probe of the program itself
	newer, older *conn                 // the register's
}

// Read reads what the PROXY header left over first.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// SetListener is told by the TLS side which listener the client's SNI chose.
func (c *conn) SetListener(i int) { c.listener = c.address.listeners[i] }

// handshake does the TLS handshake, within its deadline.
func (c *conn) handshake() error {
	c.nc = c
	if c.address.tls == nil {
		c.listener = c.address.listeners[0]
		return nil
	}
	c.TCPConn.SetDeadline(c.accepted.Add(c.gate.timeouts().Handshake)) //nolint:errcheck // the handshake fails if this does
	tc := tls.Server(c, c.address.tls)
	err := tc.Handshake()
	if err != nil {
		c.failedHandshake(err)
		return err
	}
	c.nc = tc
	state := tc.ConnectionState()
	if state.NegotiatedProtocol == challengeProtocol {
		c.listener.metrics.Handshake(metrics.HandshakeOK)
		tc.Close() // says so: an authority reads on
		return errChallenged
	}
	c.tlsVersion = versionName(state.Version)
	if state.NegotiatedProtocol == "h2" {
		c.startHTTP2()
	}
	result := metrics.HandshakeOK
	if state.DidResume {
		result = metrics.HandshakeResumed
	}
	c.listener.metrics.Handshake(result)
	return nil
}

// failedHandshake counts a handshake that came to nothing, at the listener it
// was meant for or, when that was not said, at the first of the address.
func (c *conn) failedHandshake(err error) {
	l := c.listener
	if l == nil {
		l = c.address.listeners[0]
	}
	result := metrics.HandshakeFailed
	if c.gate.parts.HandshakeResult != nil {
		result = c.gate.parts.HandshakeResult(err)
	}
	l.metrics.Handshake(result)
	c.listener = nil
}

func versionName(v uint16) string {
	if v == tls.VersionTLS12 {
		return "1.2"
	}
	return "1.3"
}

// serve works for the connection until it ends or falls asleep.
func (c *conn) serve() {
	defer c.survive()
	if !c.begun {
		c.begun = true
		if !c.start() {
			c.close()
			return
		}
	}
	if c.work() {
		go c.sleep()
		return
	}
	c.close()
}

// work serves requests until the connection ends or, which it reports, is to
// fall asleep.
func (c *conn) work() (asleep bool) {
	if h := c.h2.Load(); h != nil {
		return h.work()
	}
	for {
		if err := c.await(); err != nil {
			if c.fallsAsleep(err) {
				return true
			}
			c.farewell(err)
			return false
		}
		c.gate.serve(c.lane.begin(&c.h1, time.Now()))
		c.lane.running = nil
		if !c.h1.Next() {
			c.linger()
			return false
		}
	}
}

// await waits a short while for the next request. While the gate drains it takes
// only one that is there already.
func (c *conn) await() error {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	if c.parting() {
		return c.lastLook()
	}
	err := c.h1.Await(time.Now().Add(min(awake, c.gate.timeouts().KeepAlive)))
	if err != nil && c.parting() && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.lastLook()
	}
	return err
}

// parting reports whether the connection is to end as soon as it can: the gate drains, or
// the connection has had its time to leave.
func (c *conn) parting() bool { return c.gate.draining.Load() || c.dismissed.Load() }

// leaving reports whether what runs is the last of its connection: because it is parting,
// the gate says that it leaves, or its listener has ended. Over HTTP/1.1 the next answer
// says so, whenever that is; to close an idle connection might lose a request that is on
// its way.
func (c *conn) leaving() bool { return c.parting() || c.gate.retired.Load() != nil || c.ended() }

// ended reports whether the connection's listener is gone, or is there on other terms.
func (c *conn) ended() bool {
	s := c.station.Load()
	return s != nil && s.ended.Load()
}

// lookTime is how long a last look takes when nothing is there.
const lookTime = 50 * time.Millisecond

// lastLook takes a request that came before its client could know that the gate
// drains. To close in its face would lose it. It is the connection's last one.
func (c *conn) lastLook() error {
	c.h1.Disarm()
	c.h1.Last()
	return c.h1.Await(time.Now().Add(lookTime))
}

// fallsAsleep reports whether err only says that no request came soon.
func (c *conn) fallsAsleep(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && !c.parting() && c.gate.timeouts().KeepAlive > awake
}

// known is an authority and the listener of an address that serves it; nil for none.
type known struct {
	address   *address
	authority []byte
	listener  *listener
}

// serves reports whether the request's authority is one of the listener that the
// connection chose. On plain HTTP nothing was chosen before: there the request's
// own host does. The last authority is remembered, as most connections have but one.
func (c *conn) serves(x *exchange) bool {
	a := c.current()
	k := c.known.Load()
	if k == nil || k.address != a || !bytes.Equal(x.req.Authority, k.authority) {
		k = &known{a, bytes.Clone(x.req.Authority), a.serving(c.listener, x.req.Authority, c.local)}
		c.known.Store(k)
	}
	if k.listener == nil {
		return false
	}
	x.listener = k.listener
	return true
}

// current returns what the settings say now of the address where the connection came in.
// One whose listener has ended is served to its end as it began.
func (c *conn) current() *address {
	a := c.port.address.Load()
	if c.listener.station.ended.Load() { // asked second, as it is said first
		return c.address
	}
	return a
}

// serving returns the listener that serves an authority on a connection whose handshake
// chose a listener, nil for none.
func (a *address) serving(chosen *listener, authority []byte, local netip.Addr) *listener {
	name, _, _ := wire.SplitHost(authority)
	host := strings.Trim(strings.ToLower(string(name)), "[]")
	l, ok := a.find(host, local)
	if ok && (!a.secured || l.station == chosen.station) {
		return l
	}
	return nil
}
