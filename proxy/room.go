package proxy

import (
	"math"

	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/proxy/pool"
)

// clientShare is the share of the process's file descriptors that connections
// of clients may have, in percent. Those to backends may have as many: over HTTP/2 a few
// clients ask for more than all others together. The rest is for health checks, the admin
// side, logs and certificates. Without it, clients who merely connect, or ask, could take
// them all, and the gate would find its backends down.
const clientShare = 45

// roomFor returns how many connections of clients there may be, where the
// settings want limit and the process may have so many file descriptors.
func roomFor(limit int, descriptors uint64) int64 {
	return int64(min(uint64(limit), shareOf(descriptors)))
}

func shareOf(descriptors uint64) uint64 {
	share := descriptors / 100 * clientShare
	share += descriptors % 100 * clientShare / 100
	return max(share, 1)
}

// measureRoom sets the gate's room, and tells when it is less than was wanted.
func (g *Gate) measureRoom() {
	wanted := g.limits().Connections
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		g.room.Store(int64(wanted))
		return
	}
	g.parts.places.SetMost(int(min(shareOf(files.Cur), math.MaxInt32)))
	room := roomFor(wanted, files.Cur)
	if before := g.room.Swap(room); room < int64(wanted) && room != before {
		g.parts.Log.Warn().Int64("connections", room).Int("wanted", wanted).Uint64("file_descriptors", files.Cur).
			Msg("limits.connections is more than the file descriptors allow: raise LimitNOFILE or ulimit -n")
	}
}

// full reports whether there are more connections than there is room for, after
// the one that has slept longest was sent away for a new one, if one sleeps.
func (g *Gate) full() bool {
	return g.open.Load() > g.room.Load() && !g.register.shed()
}

// spare closes a connection to a backend that nobody uses, for one to another, and reports
// whether there was one.
func (g *Gate) spare() (found bool) {
	g.pools.each(func(p *pool.Pool) { found = found || p.Spare() })
	return found
}

// maxLooked bounds how many connections shed looks at, as nobody else can come
// or go meanwhile.
const maxLooked = 1024

// shed sends away one of the oldest connections: one that sleeps, so that
// nothing is lost but a handshake. It reports whether it found one.
func (r *register) shed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.oldest
	for looked := 0; c != nil && looked < maxLooked; looked++ {
		if c.asleep.CompareAndSwap(true, false) {
			c.wake()
			return true
		}
		c = c.newer
	}
	return false
}
