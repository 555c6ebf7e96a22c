package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/internal/metrics"
)

// awake is how long a connection waits for its next request on the goroutine
// that served the last one. Longer waits are slept through.
const awake = time.Second

// crowded is the share of the connections that the gate may have from which on
// idle ones are kept for a short while only.
const (
	crowdedShare = 0.8
	crowdedWait  = 5 * time.Second
)

// sleep waits for the socket to become readable, with nothing on its stack, and
// has the connection served again. When the gate drains, that is for a last look.
func (c *conn) sleep() {
	defer c.survive()
	if !c.readable() && !c.parting() && !c.mustSay() {
		c.farewell(os.ErrDeadlineExceeded)
		c.close()
		return
	}
	c.gate.crew.assign(c)
}

// readable waits until there is something to read, including the end, or the
// keep-alive time is over.
func (c *conn) readable() bool {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	c.release()
	c.SetReadDeadline(time.Now().Add(c.patience())) //nolint:errcheck // a closed connection is readable
	c.asleep.Store(true)
	if c.parting() || c.mustSay() {
		return false
	}
	woken := c.Raw().Read(poll) == nil
	if !c.asleep.CompareAndSwap(true, false) {
		c.lastOnes() // somebody else has the place: at most requests that came just now
	}
	return woken && !c.parting()
}

// mustSay reports whether a connection that sleeps has to tell its client that it leaves.
func (c *conn) mustSay() bool { return c.h2.Load() != nil && c.leaving() }

// patience is how long the client may take for its next request.
func (c *conn) patience() time.Duration {
	keep := c.gate.timeouts().KeepAlive
	if float64(c.gate.open.Load()) > crowdedShare*float64(c.gate.room.Load()) {
		keep = min(keep, crowdedWait)
	}
	return keep - min(awake, keep)
}

// poll reports whether a socket has something to read.
func poll(fd uintptr) bool {
	set := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(set[:], 0)
		if err == unix.EINTR {
			continue
		}
		return n != 0 || err != nil
	}
}

// wake ends a wait, for a drain.
func (c *conn) wake() {
	if c.waiting.Load() {
		if h := c.h2.Load(); h != nil && !c.asleep.Load() {
			h.depart()
		}
		c.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection does not wait
	}
}

// cut ends the connection and what its exchange waits for, when the drain time is
// over.
func (c *conn) cut() {
	c.TCPConn.Close()
	c.lane.interrupt()
	if h := c.h2.Load(); h != nil {
		h.interrupt()
	}
}

// Bounds of a close that waits for the client to read our last answer.
const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger closes our side and reads away what the client still sends. To close
// with unread bytes would reset the connection, and the client might never see
// the answer (RFC 9112 section 9.6). Who has gone or reads nothing is not waited
// for: a reset also frees what the system still holds for it.
func (c *conn) linger() {
	if c.h1.Resets() {
		c.SetLinger(0)    //nolint:errcheck // best effort
		c.TCPConn.Close() // before TLS could say that all is well
		return
	}
	c.release()
	c.SetDeadline(time.Now().Add(lingerTime)) //nolint:errcheck // the writes and reads fail if this does
	if closer, ok := c.nc.(interface{ CloseWrite() error }); ok && c.nc != io.Writer(c) {
		closer.CloseWrite() //nolint:errcheck // the client may be gone
	}
	if c.TCPConn.CloseWrite() != nil {
		return
	}
	io.CopyN(io.Discard, c.TCPConn, lingerBytes) //nolint:errcheck // it only passes time
}

// farewell says that we are about to close, to a client that has not closed
// itself: whoever closes last has nobody to tell (RFC 8446 section 6.1).
func (c *conn) farewell(err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	if h := c.h2.Load(); h != nil {
		h.Farewell()
		c.outlast()
		return
	}
	c.notify()
}

// outlastBytes is more than a client may send over HTTP/2 before it hears from us.
const outlastBytes = 2 << 20

// outlast closes our side of an HTTP/2 connection and waits for the client to close its
// own. What it still sends, windows that it opens among them, would otherwise have the
// system throw away what it has not read: the end of an answer, or the GOAWAY that says
// which of its requests it may send again. As long as it takes what was written it has
// the time of a write; then it is to hurry.
func (c *conn) outlast() {
	c.release()
	c.notify()
	if c.TCPConn.CloseWrite() != nil {
		return
	}
	end := time.Now().Add(c.gate.timeouts().Write)
	for now := time.Now(); now.Before(end); now = time.Now() {
		c.SetReadDeadline(now.Add(lingerTime)) //nolint:errcheck // the read fails if this does
		_, err := io.CopyN(io.Discard, c.TCPConn, outlastBytes)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !c.unread() {
			return
		}
	}
}

// unread reports whether the client has not taken all that was written.
func (c *conn) unread() (some bool) {
	err := c.Raw().Control(func(fd uintptr) {
		n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		some = err == nil && n > 0
	})
	return some && err == nil
}

// notify says in TLS that nothing more comes.
func (c *conn) notify() {
	if tc, ok := c.nc.(*tls.Conn); ok {
		tc.CloseWrite() //nolint:errcheck // the client may be gone
	}
}

// close ends the connection and what was counted for it.
func (c *conn) close() {
	c.release()
	c.TCPConn.Close() //nolint:errcheck // nothing is left to lose
	c.gate.closed(c)
}

// release gives the engine's buffers back.
func (c *conn) release() {
	if h := c.h2.Load(); h != nil {
		h.Release()
		return
	}
	c.h1.Release()
}

// lastOnes makes what has come the last requests of the connection.
func (c *conn) lastOnes() {
	if h := c.h2.Load(); h != nil {
		h.Leave()
		return
	}
	c.h1.Last()
}

// protocol returns what the connection speaks.
func (c *conn) protocol() metrics.Protocol {
	if c.h2.Load() != nil {
		return metrics.HTTP2
	}
	return metrics.HTTP1
}
