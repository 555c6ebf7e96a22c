package balancer

// Next returns whom a Pick that avoids nobody would claim now, and claims nobody: no
// turn is over, nothing is counted or remembered. The error is ErrNone or ErrFull, and
// ErrFull also where a request would get in line behind others.
func (p *Pool) Next() (*Backend, error) {
	r := p.rotation.Load()
	if r.empty() {
		return nil, ErrNone
	}
	if p.queue.waiting.Load() > 0 {
		return nil, ErrFull
	}
	turn, copied := p.turn.Load(), r.forgetful()
	for i := range min(len(r.turns), maxTries) {
		if b := p.choose(copied, turn+uint64(i), nil); b != nil && b.hasRoom(p.limit) {
			return b, nil
		}
	}
	if b := p.pickAny(copied, nil, p.ownLimit, (*Backend).hasRoom); b != nil {
		return b, nil
	}
	return nil, ErrFull
}

// forgetful returns the rotation with a memory of its own: what is seen there is not
// remembered.
func (r *rotation) forgetful() *rotation {
	c := &rotation{turns: r.turns, members: r.members}
	c.memory.Store(r.memory.Load())
	return c
}

// Full says whether a backend has as many attempts as it may.
func (p *Pool) Full(b *Backend) bool { return b.full(p.limit) }

// Spare says whether a backend could take work but stands back for those of a lower
// priority.
func (b *Backend) Spare() bool { return b.isSpare() }

// hasRoom is claim for those who only look.
func (b *Backend) hasRoom(limit int64) bool { return !b.full(limit) }
