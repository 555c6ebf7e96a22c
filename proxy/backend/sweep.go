package backend

import (
	"slices"
	"syscall"
	"time"
)

// Sweep closes the kept connections that are too old at now, and those that the
// backend has ended or spoken on. It is for every second or so: what it finds
// teaches how long the backend waits, and a request finds fewer that are stale.
func (k *Conns) Sweep(now time.Time) {
	k.unused.lapse(now)
	k.retire(now)
	for _, s := range k.suspects() {
		if k.remove(s) {
			k.learn(s.c, now)
			s.c.Close()
		}
	}
}

// retire closes the kept connections that are too old at now.
func (k *Conns) retire(now time.Time) {
	limit := k.Idle()
	k.mu.Lock()
	n := 0
	for n < len(k.kept) && now.Sub(k.kept[n].since) > limit {
		n++
	}
	old := slices.Clone(k.kept[:n])
	k.kept = slices.Delete(k.kept, 0, n)
	k.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

// sighting is a connection as it was kept at one moment. It may be taken while
// one looks at it, and be put back.
type sighting struct {
	c     *Conn
	since time.Time
}

// suspects returns the kept connections on which something waits. It does not
// hold the lock while it asks the kernel.
func (k *Conns) suspects() []sighting {
	k.mu.Lock()
	all := make([]sighting, len(k.kept))
	for i, c := range k.kept {
		all[i] = sighting{c, c.since}
	}
	k.mu.Unlock()
	return slices.DeleteFunc(all, func(s sighting) bool { return s.c.silent() })
}

// remove takes what was seen from the kept ones, unless it was used since.
func (k *Conns) remove(s sighting) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.Index(k.kept, s.c)
	if i < 0 || s.c.since != s.since {
		return false
	}
	k.kept = slices.Delete(k.kept, i, i+1)
	return true
}

// silent reports whether nothing waits to be read. It takes nothing away, and so
// may be called while the connection is in use.
func (c *Conn) silent() bool {
	var err error
	ended := c.raw.Control(func(fd uintptr) {
		var p [1]byte
		_, _, err = syscall.Recvfrom(int(fd), p[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return ended == nil && (err == syscall.EAGAIN || err == syscall.EINTR)
}

// learn takes note of how long c was unused when the backend closed it, if it
// has. A reset says nothing: that is how programs die.
func (k *Conns) learn(c *Conn, now time.Time) {
	if ago, ok := c.closedAgo(); ok {
		k.unused.closed(now.Sub(c.since)-ago, now.Add(-ago))
	}
}

// closedAgo returns how long ago the backend closed the connection. The kernel
// knows it by when it was heard last; that the connection is found closed only
// later, when it is needed, makes no difference.
func (c *Conn) closedAgo() (ago time.Duration, ok bool) {
	info, err := c.info()
	switch {
	case err != nil:
		return 0, false
	case info.State == closeWait:
		return time.Duration(info.Last_ack_recv) * time.Millisecond, true
	case c.tls != nil && c.tls.farewell(): // and waits for ours before it closes TCP
		return time.Duration(info.Last_data_recv) * time.Millisecond, true
	}
	return 0, false
}
