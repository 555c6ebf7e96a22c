package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trackgate/trackgate/internal/reason"
)

// Pool counts what all backends of a pool have in common.
type Pool struct {
	name     string
	families *families
	duration prometheus.Observer
	retries  [reason.Count]lazy[prometheus.Counter]
	refused  lazy[prometheus.Counter]
	waiting  atomic.Pointer[func() int]
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
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trackgate_pool_waiting_requests", Help: "Requests that wait for a backend of the pool.",
		ConstLabels: prometheus.Labels{"pool": name},
	}, p.countWaiting))
	return p
}

// Waiting shows at each scrape how many requests wait for a backend.
func (p *Pool) Waiting(count func() int) { p.waiting.Store(&count) }

func (p *Pool) countWaiting() float64 {
	if count := p.waiting.Load(); count != nil {
		return float64((*count)())
	}
	return 0
}

// RepeatRefused counts a repetition that did not take place because too many ran.
func (p *Pool) RepeatRefused() {
	p.refused.get(func() prometheus.Counter { return p.families.retriesRefused.WithLabelValues(p.name) }).Inc()
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
