package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// paceBurst is for how many seconds' worth a client may come at once: those behind one
// address come together when a page is told of, or a gate restarts.
const paceBurst = 4

// maxPaced is how many clients a shard of a Pace remembers in each of its two halves.
const maxPaced = 1024

// Pace bounds how often each client comes in a second. Clients are those of a Counter.
//
// Of a client it remembers one time: when it would have come last, had it kept to the
// rate (the generic cell rate algorithm, ITU-T I.371). Who has been still for as long as
// a burst takes is as good as new, and is forgotten. The memory is bounded: where more
// clients come than it has room for, it forgets some too early, never anybody too late.
type Pace struct {
	start  time.Time
	rate   atomic.Int64 // a second; 0 is no limit
	seed   maphash.Seed
	shards [shards]pacers
}

// pacers remembers some of the clients: those since the last turn, and those before.
type pacers struct {
	mu         sync.Mutex
	young, old map[netip.Addr]time.Duration // when a client is due, since the start
	turned     time.Duration
}

// NewPace returns a Pace of perSecond for each client; 0 is no limit.
func NewPace(perSecond int, now time.Time) *Pace {
	p := &Pace{start: now, seed: maphash.MakeSeed()}
	p.SetRate(perSecond)
	return p
}

// SetRate changes the rate from now on.
func (p *Pace) SetRate(perSecond int) { p.rate.Store(int64(perSecond)) }

// Allow notes that addr comes now, or says false if it came too often. What is refused
// does not count.
func (p *Pace) Allow(addr netip.Addr, now time.Time) bool {
	rate := p.rate.Load()
	if rate <= 0 {
		return true
	}
	client := clientOf(addr)
	b := client.As16()
	s := &p.shards[maphash.Bytes(p.seed, b[:])%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now.Sub(p.start)
	s.turn(at)
	due := max(s.due(client), at)
	if due-at > paceBurst*time.Second-time.Second/time.Duration(rate) {
		return false
	}
	s.young[client] = due + time.Second/time.Duration(rate)
	return true
}

func (s *pacers) due(client netip.Addr) time.Duration {
	if due, ok := s.young[client]; ok {
		return due
	}
	return s.old[client]
}

// turn forgets those who have not come since the last turn. After a burst's time
// nothing is lost by it.
func (s *pacers) turn(at time.Duration) {
	if s.young != nil && at-s.turned < paceBurst*time.Second && len(s.young) < maxPaced {
		return
	}
	s.old, s.young, s.turned = s.young, map[netip.Addr]time.Duration{}, at
}
