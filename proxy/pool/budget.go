package pool

import "sync/atomic"

// leastRepetitions may always run: a share of very little would be nothing.
const leastRepetitions = 3

// budget bounds how many of the running requests may be repetitions of what a
// backend may have begun to work on, so that backends in trouble do not get
// several times the load that troubles them.
type budget struct {
	percent   int
	running   func() int
	repeating atomic.Int64
}

// take claims a place for one repetition, until give.
func (b *budget) take() bool {
	if b.percent == 0 {
		return false
	}
	allowed := max(leastRepetitions, b.running()*b.percent/100)
	if b.repeating.Add(1) > int64(allowed) {
		b.repeating.Add(-1)
		return false
	}
	return true
}

func (b *budget) give() { b.repeating.Add(-1) }

// Repeat claims a place among the requests that are repeated after a backend may
// have worked on them, until Repeated. It is false when there are too many.
func (p *Pool) Repeat() bool {
	if p.budget.take() {
		return true
	}
	p.metrics.RepeatRefused()
	return false
}

// Repeated ends what Repeat began.
func (p *Pool) Repeated() { p.budget.give() }
