package balancer

import "slices"

// CanTake says whether a Pick would get a backend that is not one of exclude, as
// things are now.
func (p *Pool) CanTake(exclude []*Backend) bool {
	return slices.ContainsFunc(p.rotation.Load().members, func(b *Backend) bool {
		return !slices.Contains(exclude, b) && !b.full(p.limit)
	})
}
