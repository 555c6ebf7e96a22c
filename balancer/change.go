package balancer

import (
	"slices"
	"time"
)

// Change is what becomes different among the members of a pool in one go.
type Change struct {
	Join    []*Backend       // start slowly; who is a member already stays as it is
	Leave   []*Backend       // take no new work and are forgotten; claims run on
	Weights map[*Backend]int // their new shares; 0 is none
}

// Apply makes a change as if by Remove, SetWeight and Add, in this order, but
// works out the turns only once, which takes a while when there are many
// backends. Nobody sees a part of it.
func (p *Pool) Apply(c Change, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left, weighed, joined := p.leave(c.Leave), weigh(c.Weights), p.join(c.Join, now)
	if left || weighed || joined {
		p.publish()
	}
}

// leave takes these backends out of the list and says whether any was in it. p.mu
// is held, and publish comes next.
func (p *Pool) leave(who []*Backend) bool {
	old, leaving := p.Backends(), setOf(who)
	all := slices.DeleteFunc(slices.Clone(old), func(b *Backend) bool {
		if leaving[b] {
			b.share.Store(0)
		}
		return leaving[b]
	})
	if len(all) == len(old) {
		return false
	}
	p.backends.Store(&all)
	return true
}

// join puts these backends at the end of the list and says whether any is new
// there. p.mu is held, and publish comes next.
func (p *Pool) join(who []*Backend, now time.Time) bool {
	old := p.Backends()
	all, known := slices.Clip(old), setOf(old)
	for _, b := range who {
		if !known[b] {
			known[b] = true
			p.rise(b, now)
			all = append(all, b)
		}
	}
	if len(all) == len(old) {
		return false
	}
	p.backends.Store(&all)
	return true
}

// weigh sets weights and says whether any is another than before. p.mu is held, and
// publish comes next.
func weigh(weights map[*Backend]int) (changed bool) {
	for b, weight := range weights {
		w := int64(max(0, weight))
		changed = b.weight.Swap(w) != w || changed
	}
	return changed
}

// setOf is these backends, to be found quickly.
func setOf(backends []*Backend) map[*Backend]bool {
	set := make(map[*Backend]bool, len(backends))
	for _, b := range backends {
		set[b] = true
	}
	return set
}
