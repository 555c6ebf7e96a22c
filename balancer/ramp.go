package balancer

import "time"

// allTenths is the whole of a weight.
const allTenths = 10

// rise begins the slow start of b. p.mu is held.
func (p *Pool) rise(b *Backend, now time.Time) {
	b.rising, b.tenths = now, risen(0, p.slowStart)
	if b.tenths < allTenths {
		p.ramping = true
	}
}

// Ramp moves the slow starts on and reports whether any is still under way. The
// owner of the pool calls it about every second; it is cheap when there is
// nothing to do.
func (p *Pool) Ramp(now time.Time) (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ramping {
		return false
	}
	changed := false
	for _, b := range p.Backends() {
		if b.tenths == allTenths {
			continue
		}
		tenths := max(b.tenths, risen(now.Sub(b.rising), p.slowStart))
		changed = changed || tenths != b.tenths
		more = more || tenths < allTenths
		b.tenths = tenths
	}
	p.ramping = more
	if changed {
		p.publish()
	}
	return more
}

// risen is how many tenths of its weight a backend has after some time of a slow
// start: one at the beginning, all at the end.
func risen(after, slowStart time.Duration) int32 {
	if after >= slowStart {
		return allTenths
	}
	return 1 + int32((allTenths-1)*max(0, after)/slowStart)
}
