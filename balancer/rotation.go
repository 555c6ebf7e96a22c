package balancer

import "slices"

// maxTurns bounds the length of a rotation. Weights that would need more turns
// are rounded; no backend goes without one.
const maxTurns = 1 << 14

// rotation is smooth weighted round robin, worked out in advance: a backend of
// weight 5 beside two of weight 1 gets 5 of 7 turns, spread as
// a a b a c a a and not a a a a a b c. It never changes.
type rotation struct {
	turns   []*Backend
	members []*Backend // each once
}

// newRotation works out the turns of those backends that take new work.
func newRotation(backends []*Backend) *rotation {
	r := &rotation{}
	var weights []int
	for _, b := range backends {
		if w := b.share(); w > 0 {
			r.members = append(r.members, b)
			weights = append(weights, w)
		}
	}
	for _, i := range smooth(reduce(weights)) {
		r.turns = append(r.turns, r.members[i])
	}
	return r
}

// at returns whose turn it is at a count of picks.
func (r *rotation) at(turn uint64) *Backend { return r.turns[turn%uint64(len(r.turns))] }

// has says whether b takes part.
func (r *rotation) has(b *Backend) bool { return slices.Contains(r.members, b) }

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
// waited longest: a queue for each weight finds it without looking at all.
func smooth(weights []int) []int {
	total := 0
	for _, w := range weights {
		total += w
	}
	queues := queuesOf(weights)
	turns := make([]int, 0, total)
	for range total {
		best := &queues[0]
		for i := range queues {
			q := &queues[i]
			q.gain()
			if q.before(best) {
				best = q
			}
		}
		turns = append(turns, best.pay(total))
	}
	return turns
}

// queue is the members of one weight, of which the next is at head.
type queue struct {
	weight  int
	members []int // ascending
	head    int
	debt    int // what head paid less what everybody gained
}

// queuesOf groups the indices of weights.
func queuesOf(weights []int) []queue {
	var queues []queue
	place := map[int]int{}
	for i, w := range weights {
		at, ok := place[w]
		if !ok {
			at = len(queues)
			place[w] = at
			queues = append(queues, queue{weight: w})
		}
		queues[at].members = append(queues[at].members, i)
	}
	return queues
}

// gain gives every member its weight.
func (q *queue) gain() { q.debt -= q.weight }

// before says whether the head of q has its turn before that of o.
func (q *queue) before(o *queue) bool {
	if q.debt != o.debt {
		return q.debt < o.debt
	}
	return q.members[q.head] < o.members[o.head]
}

// pay takes the sum of all weights from the head and moves on. Once around,
// the next head is one that has paid as often.
func (q *queue) pay(total int) (member int) {
	member = q.members[q.head]
	q.head++
	if q.head == len(q.members) {
		q.head = 0
		q.debt += total
	}
	return member
}
