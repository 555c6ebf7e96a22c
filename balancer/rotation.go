package balancer

import "sync/atomic"

// maxTurns bounds the length of a rotation. Weights that would need more turns
// are rounded; no backend goes without one.
const maxTurns = 1 << 14

// rotation is smooth weighted round robin, worked out in advance: a backend of
// weight 5 beside two of weight 1 gets 5 of 7 turns, spread as
// a a b a c a a and not a a a a a b c. But for its memory it never changes.
type rotation struct {
	turns   []*Backend
	members []*Backend // each once

	_      [64]byte // written by picks: not on the line that all of them read
	memory atomic.Pointer[Backend]
	_      [64]byte
}

// newRotation works out the turns of those backends that have a share.
func newRotation(backends []*Backend, shares []int64) *rotation {
	r := &rotation{}
	var weights []int
	for i, b := range backends {
		if shares[i] > 0 {
			r.members = append(r.members, b)
			weights = append(weights, int(shares[i]))
		}
	}
	for _, i := range smooth(reduce(weights)) {
		r.turns = append(r.turns, r.members[i])
	}
	if len(r.members) > 0 {
		r.memory.Store(r.members[0])
	}
	return r
}

// empty says whether nobody takes new work.
func (r *rotation) empty() bool { return len(r.turns) == 0 }

// at returns whose turn it is at a count of picks.
func (r *rotation) at(turn uint64) *Backend { return r.turns[turn%uint64(len(r.turns))] }

// other returns a backend by chance, weighted like the turns, but not first if
// there is another one.
func (r *rotation) other(first *Backend, turn uint64) *Backend {
	chance := scatter(turn)
	if b := r.at(chance); b != first {
		return b
	}
	n := uint64(len(r.members))
	if b := r.members[chance%n]; b != first {
		return b
	}
	return r.members[(chance+1)%n]
}

// reduce returns the smallest weights of the same proportions, rounded where
// they would add up to more than maxTurns.
func reduce(weights []int) []int {
	divisor, total := 0, 0
	for _, w := range weights {
		divisor = gcd(divisor, w)
		total += w
	}
	reduced := make([]int, len(weights))
	for i, w := range weights {
		reduced[i] = w / divisor
		if total/divisor > maxTurns {
			reduced[i] = max(1, (w*maxTurns+total/2)/total)
		}
	}
	return reduced
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// smooth returns the order in which nginx gives out turns: each time every
// member gains its weight, and the one with the most, the first among equals,
// has the turn and pays the sum of all weights.
//
// Members of one weight gain alike, so among them it is simply the one who
// waited longest: a lane for each weight finds it without looking at all.
func smooth(weights []int) []int {
	total := 0
	for _, w := range weights {
		total += w
	}
	lanes := lanesOf(weights)
	turns := make([]int, 0, total)
	for range total {
		best := &lanes[0]
		for i := range lanes {
			l := &lanes[i]
			l.gain()
			if l.before(best) {
				best = l
			}
		}
		turns = append(turns, best.pay(total))
	}
	return turns
}

// lane is the members of one weight, of which the next is at head.
type lane struct {
	weight  int
	members []int // ascending
	head    int
	debt    int // what head paid less what everybody gained
}

// lanesOf groups the indices of weights.
func lanesOf(weights []int) []lane {
	var lanes []lane
	place := map[int]int{}
	for i, w := range weights {
		at, ok := place[w]
		if !ok {
			at = len(lanes)
			place[w] = at
			lanes = append(lanes, lane{weight: w})
		}
		lanes[at].members = append(lanes[at].members, i)
	}
	return lanes
}

// gain gives every member its weight.
func (l *lane) gain() { l.debt -= l.weight }

// before says whether the head of l has its turn before that of o.
func (l *lane) before(o *lane) bool {
	if l.debt != o.debt {
		return l.debt < o.debt
	}
	return l.members[l.head] < o.members[o.head]
}

// pay takes the sum of all weights from the head and moves on. Once around,
// the next head is one that has paid as often.
func (l *lane) pay(total int) (member int) {
	member = l.members[l.head]
	l.head++
	if l.head == len(l.members) {
		l.head = 0
		l.debt += total
	}
	return member
}
