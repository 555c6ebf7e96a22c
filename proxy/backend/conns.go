package backend

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options bound the connections of one backend.
type Options struct {
	Connect  time.Duration // to make a connection, with its TLS handshake
	Response time.Duration // for the head of an answer, and between two reads of its body
	Idle     time.Duration // how long a connection is kept unused at most

	// TLS returns the configuration of the next connection; nil is plain HTTP. What
	// it returns is not nil and never changes. Another pointer than the last one says that what
	// is trusted has changed: no connection and no session of before is used again.
	TLS func() *tls.Config

	// ServerName is what the backend's certificate has to be valid for where the
	// configuration of TLS does not say. "" is the host of the address.
	ServerName string

	// Slow, unless nil, is told true when an attempt to connect takes much longer
	// than they usually do here, and false when no such attempt is left. It is
	// called in order, one call at a time, with no lock held, and has to be quick.
	Slow func(slow bool)

	// Places are those of all backends; nil is any number.
	Places *Places
}

// maxKept bounds how many connections of one backend are kept unused.
const maxKept = 256

// Conns makes and keeps the connections to one backend. It is safe for
// concurrent use.
type Conns struct {
	addr     string
	opts     Options
	dialer   net.Dialer
	named    bool                 // addr has a name,
	last     atomic.Pointer[lead] // which led here
	trusted  atomic.Pointer[trust]
	attempts attempts
	unused   unused

	mu     sync.Mutex
	kept   []*Conn // the one used last is the last
	closed bool
}

// New returns the connections to addr, "host:port". None is made yet.
func New(addr string, opts Options) *Conns {
	k := &Conns{addr: addr, opts: opts, dialer: dialer(opts.Connect), named: named(addr)}
	k.attempts.tell = opts.Slow
	k.unused.init(opts.Idle)
	return k
}

// Addr returns the backend's address.
func (k *Conns) Addr() string { return k.addr }

// Kept returns the connection that was put back last, or nil when none that is
// young enough is there. now is the time by which it is judged.
func (k *Conns) Kept(now time.Time) *Conn {
	k.mu.Lock()
	n := len(k.kept)
	if n == 0 {
		k.mu.Unlock()
		return nil
	}
	c := k.kept[n-1]
	k.kept[n-1] = nil
	k.kept = k.kept[:n-1]
	k.mu.Unlock()
	if now.Sub(c.since) > k.Idle() {
		c.Close()
		k.retire(now)
		return nil
	}
	if c.tls != nil && c.tls.by != k.trust() {
		c.Close() // what it was made by is not what is trusted now
		return nil
	}
	c.begin(true)
	return c
}

// Put takes a connection back after an exchange. One that was not left clean is
// closed.
func (k *Conns) Put(c *Conn, now time.Time) {
	if !c.clean() {
		c.Close()
		return
	}
	if c.allowed > 0 {
		k.unused.announce(c.allowed, now)
	}
	c.rest(now)
	k.mu.Lock()
	if k.closed || len(k.kept) >= maxKept {
		k.mu.Unlock()
		c.Close()
		return
	}
	k.kept = append(k.kept, c)
	k.mu.Unlock()
	if k.opts.Places.wanted() { // asked second, as who waits looks for kept ones second
		k.Spare()
	}
}

// Idle returns how long a connection may be unused at present: Options.Idle, or
// less where the backend was found to close its connections sooner.
func (k *Conns) Idle() time.Duration { return k.unused.limit() }

// Purge closes the kept connections. Those in use are not disturbed, and new
// ones can be made.
func (k *Conns) Purge() { k.empty(false) }

// Close closes the kept connections for good; those in use are closed when they
// are put back.
func (k *Conns) Close() { k.empty(true) }

func (k *Conns) empty(forGood bool) {
	k.mu.Lock()
	old := k.kept
	k.kept, k.closed = nil, k.closed || forGood
	k.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

// Spare closes the kept connection that was used least of late, to make room for another,
// and reports whether there was one.
func (k *Conns) Spare() bool {
	k.mu.Lock()
	if len(k.kept) == 0 {
		k.mu.Unlock()
		return false
	}
	c := k.kept[0]
	k.kept = slices.Delete(k.kept, 0, 1)
	k.mu.Unlock()
	c.yield()
	return true
}

// Len returns how many connections are kept.
func (k *Conns) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept)
}
