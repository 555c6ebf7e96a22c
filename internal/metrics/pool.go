package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trackgate/trackgate/internal/reason"
)

// Pool counts what all backends of a pool have in common.
type Pool struct {
	name     string
	families *families
	duration prometheus.Observer
	retries  [reason.Count]lazy[prometheus.Counter]
}

// Pool returns the metrics of the pool with that name from the settings.
func (s *Set) Pool(name string) *Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.pools[name]; ok {
		return p
	}
	p := &Pool{name: name, families: &s.families, duration: s.families.backendDuration.WithLabelValues(name)}
	s.pools[name] = p
	return p
}

// Observe records how long one attempt took.
func (p *Pool) Observe(seconds float64) { p.duration.Observe(seconds) }

// Retried counts one attempt after the first; cause is what became of the one
// before it: the reason the client would have got.
func (p *Pool) Retried(cause reason.Reason) {
	p.retries[cause].get(func() prometheus.Counter {
		return p.families.retries.WithLabelValues(p.name, cause.String())
	}).Inc()
}
