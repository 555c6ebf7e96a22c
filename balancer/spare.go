package balancer

import "slices"

// CanTake says whether a Pick would get a backend that is not one of exclude, as
// things are now. It looks at all backends.
func (p *Pool) CanTake(exclude []*Backend) bool {
	avoids := false
	for _, b := range p.rotation.Load().members {
		if !slices.Contains(exclude, b) && !b.full(p.limit) {
			return true
		}
		avoids = avoids || slices.Contains(exclude, b)
	}
	return avoids && p.spare(exclude, p.ownLimit) != nil
}

// takeSpare takes a spare, or returns nil if none has room.
func (p *Pool) takeSpare(exclude []*Backend, limit func(*Backend) int64, take func(*Backend, int64) bool) *Backend {
	for {
		b := p.spare(exclude, limit)
		if b == nil || take(b, limit(b)) {
			return b
		}
	}
}

// spare returns the spare of the lowest priority that has room, among equals the
// one with the fewest claims in proportion to its weight. It begins somewhere by
// chance, or the first of the list would get all that comes when nothing runs.
func (p *Pool) spare(exclude []*Backend, limit func(*Backend) int64) (best *Backend) {
	all := p.Backends()
	chance := scatter(p.turn.Load()) >> 1 // or else it might overflow on the way
	for i := range all {
		b := all[(chance+uint64(i))%uint64(len(all))]
		if b.isSpare() && rankOf(b, exclude) == willing && !b.full(limit(b)) && b.before(best) {
			best = b
		}
	}
	return best
}

// isSpare says whether b could take work but is outside of the rotation, because
// of its priority.
func (b *Backend) isSpare() bool {
	return b.share.Load() == 0 && b.Up() && !b.Draining() && b.Weight() > 0
}

// before says whether b is to be taken rather than o; nil is nobody.
func (b *Backend) before(o *Backend) bool {
	if o == nil || b.Priority != o.Priority {
		return o == nil || b.Priority < o.Priority
	}
	return b.claimed.Load()*o.weight.Load() < o.claimed.Load()*b.weight.Load()
}
