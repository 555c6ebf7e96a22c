package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
)

// shards is how many parts a Counter has, so that accepting connections of
// different clients does not wait for one lock.
const shards = 32

// Counter counts the open connections of each client. A client is an IPv4
// address or, as one customer gets at least that many, the 2^64 addresses of an
// IPv6 /64. It holds nothing of clients without a connection, so its memory is
// bounded by the connections there are. It outlives changes of settings.
type Counter struct {
	limit  atomic.Int64
	seed   maphash.Seed
	shards [shards]shard
}

// shard counts some of the clients.
type shard struct {
	mu   sync.Mutex
	open map[netip.Addr]int64
}

// NewCounter returns a Counter that lets each client have limit connections at
// once; 0 is no limit.
func NewCounter(limit int) *Counter {
	c := &Counter{seed: maphash.MakeSeed()}
	c.SetLimit(limit)
	for i := range c.shards {
		c.shards[i].open = map[netip.Addr]int64{}
	}
	return c
}

// SetLimit changes the limit for connections to come; those that are open stay
// counted.
func (c *Counter) SetLimit(limit int) { c.limit.Store(int64(limit)) }

// Acquire counts a connection from addr, or says false if the client has as
// many as it may. For each true there must be one Release with the same
// address.
func (c *Counter) Acquire(addr netip.Addr) bool {
	client := clientOf(addr)
	limit := c.limit.Load()
	s := c.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.open[client]; limit > 0 && n >= limit {
		return false
	}
	s.open[client]++
	return true
}

// Release ends what Acquire began.
func (c *Counter) Release(addr netip.Addr) {
	client := clientOf(addr)
	s := c.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[client] > 1 {
		s.open[client]--
		return
	}
	delete(s.open, client)
}

// shard returns the part that counts client.
func (c *Counter) shard(client netip.Addr) *shard {
	b := client.As16()
	return &c.shards[maphash.Bytes(c.seed, b[:])%shards]
}

// clientOf returns the address that stands for all addresses of addr's client.
func clientOf(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	clear(b[8:])
	return netip.AddrFrom16(b)
}
