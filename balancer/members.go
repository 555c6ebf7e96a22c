package balancer

import "time"

// Add makes b a member, which starts slowly. It does nothing for one that is a
// member already.
func (p *Pool) Add(b *Backend, now time.Time) { p.Apply(Change{Join: []*Backend{b}}, now) }

// Remove lets b take no new work and forgets it. Claims on it run on and are
// released as usual. It does nothing for one that is no member.
func (p *Pool) Remove(b *Backend) { p.Apply(Change{Leave: []*Backend{b}}, time.Time{}) }

// SetUp says that b is up or is not. One that comes up starts slowly. Attempts
// that run on it are not touched.
func (p *Pool) SetUp(b *Backend, up bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.up.Swap(up) == up {
		return
	}
	if up {
		p.rise(b, now)
	}
	p.publish()
}

// SetDraining says that b takes no new work, or does so again.
func (p *Pool) SetDraining(b *Backend, draining bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.draining.Swap(draining) != draining {
		p.publish()
	}
}

// SetWeight changes the share of b; 0 is none.
func (p *Pool) SetWeight(b *Backend, weight int) {
	p.Apply(Change{Weights: map[*Backend]int{b: weight}}, time.Time{})
}

// SetSuspect says that a connection to b takes long just now, or does no more.
// A suspect only gets the work that no other backend can take, but it is neither
// down nor out of the rotation: this costs one store.
func (p *Pool) SetSuspect(b *Backend, suspect bool) {
	b.suspect.Store(suspect)
	if !suspect && p.queue.waiting.Load() > 0 {
		p.serve()
	}
}

// publish makes the backends as they are now those that are picked, and gives
// what they can take to those who wait. p.mu is held.
func (p *Pool) publish() {
	backends := p.Backends()
	shares := sharesOf(backends)
	next := newRotation(backends, shares)
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	for i, b := range backends {
		if b.share.Swap(shares[i]) == 0 && shares[i] > 0 {
			p.queue.openLocked(b)
		}
	}
	p.rotation.Store(next)
	p.serveLocked()
}

// sharesOf returns the part of each backend in the work. Only the lowest priority
// of which a backend takes work has any.
func sharesOf(backends []*Backend) []int64 {
	shares := make([]int64, len(backends))
	var lowest *Backend
	for i, b := range backends {
		shares[i] = b.ownShare()
		if shares[i] > 0 && (lowest == nil || b.Priority < lowest.Priority) {
			lowest = b
		}
	}
	for i, b := range backends {
		if shares[i] > 0 && b.Priority != lowest.Priority {
			shares[i] = 0
		}
	}
	return shares
}
