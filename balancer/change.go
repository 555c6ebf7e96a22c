package balancer

import "time"

// Change is what becomes different among the members of a pool in one go.
type Change struct {
	Join    []*Backend       // start slowly; who is a member already stays as it is
	Leave   []*Backend       // take no new work and are forgotten; claims run on
	Weights map[*Backend]int // new shares; 0 is none
}

// Apply makes all of a change at once: the turns are worked out only once, which
// takes a while when there are many backends. Those who leave go first, so that
// one that joins as well starts anew.
func (p *Pool) Apply(c Change, now time.Time) {
	for _, b := range c.Leave {
		p.Remove(b)
	}
	for b, weight := range c.Weights {
		p.SetWeight(b, weight)
	}
	for _, b := range c.Join {
		p.Add(b, now)
	}
}
