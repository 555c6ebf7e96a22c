package balancer

// Policy is the way in which a pool picks among backends that take new work.
// All of them keep to the weights.
type Policy uint8

const (
	// RoundRobin gives each backend its turns, spread as evenly as the weights
	// allow.
	RoundRobin Policy = iota

	// LeastBusy picks the backend with the fewest claims in proportion to its
	// weight; between equals the turn decides. That is exact for as many as eight
	// backends. Among more it compares three: the one whose turn it is, one by
	// chance, and the least busy that was seen lately. This memory is nearly as
	// good as looking at all of them, and much better than two by chance
	// (Mitzenmacher, Prabhakar and Shah, "Load Balancing with Memory", 2002).
	LeastBusy

	// TwoChoices compares the backend whose turn it is with another one by chance
	// and picks the one with fewer claims in proportion to its weight. Many gates
	// that do so do not all run to the same backend.
	TwoChoices
)

// fewEnough is up to how many backends LeastBusy looks at all of them.
const fewEnough = 8

// choose returns a backend that is willing and was not full just now, or nil if
// none of those it looked at was. It begins with the one whose turn it is.
func (p *Pool) choose(r *rotation, turn uint64, exclude []*Backend) *Backend {
	first := r.at(turn)
	switch {
	case p.policy == RoundRobin:
		return p.better(nil, first, exclude)
	case p.policy == TwoChoices:
		return p.better(p.better(nil, first, exclude), r.other(first, turn), exclude)
	case len(r.members) <= fewEnough:
		return p.leastOfAll(r, turn, exclude)
	}
	return p.leastOfThree(r, turn, exclude)
}

// better returns the less busy of best and b, and best if they are equally busy.
// One that cannot take the work does not count; a best of nil is nobody yet.
func (p *Pool) better(best, b *Backend, exclude []*Backend) *Backend {
	if rankOf(b, exclude) != willing || b.full(p.limit) {
		return best
	}
	if best == nil || b.lessBusy(best) {
		return b
	}
	return best
}

// leastOfAll looks at everybody, first at the backend whose turn it is.
func (p *Pool) leastOfAll(r *rotation, turn uint64, exclude []*Backend) *Backend {
	best := p.better(nil, r.at(turn), exclude)
	at := turn % uint64(len(r.members))
	for range r.members {
		best = p.better(best, r.members[at], exclude)
		if at++; at == uint64(len(r.members)) {
			at = 0
		}
	}
	return best
}

// leastOfThree looks at two fresh candidates and the remembered one.
func (p *Pool) leastOfThree(r *rotation, turn uint64, exclude []*Backend) *Backend {
	first, memory := r.at(turn), r.memory.Load()
	second := r.other(first, turn)
	best := p.better(p.better(p.better(nil, first, exclude), second, exclude), memory, exclude)
	keep := memory
	for _, b := range [2]*Backend{first, second} {
		if !b.Suspect() && (keep.Suspect() || b.lighter(keep, best)) {
			keep = b
		}
	}
	if keep != memory { // or else spare the other processors the news
		r.memory.Store(keep)
	}
	return best
}

// lighter is lessBusy as it will be when picked has one claim more.
func (b *Backend) lighter(o, picked *Backend) bool {
	mine, theirs := b.claimed.Load(), o.claimed.Load()
	switch picked {
	case b:
		mine++
	case o:
		theirs++
	}
	return mine*o.share.Load() < theirs*b.share.Load()
}

// scatter turns a count into a number that looks drawn by chance: chance without
// a source of it, and the same in every run of a test. (The last steps of
// SplitMix64 by Steele, Lea and Flood, 2014.)
func scatter(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
