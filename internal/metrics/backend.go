package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trackgate/trackgate/internal/reason"
)

type backendKey struct{ pool, addr string }

// Backend counts what one backend of a pool answers.
type Backend struct {
	key     backendKey
	set     *Set
	removed bool // guarded by set.mu
	up      prometheus.Gauge
	answers [classes]lazy[prometheus.Counter]
	fails   [reason.Count]lazy[prometheus.Counter]
}

// Backend returns the metrics of one backend, addr being its host:port. A new
// one is shown as up: it takes work until a check says otherwise.
func (s *Set) Backend(pool, addr string) *Backend {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := backendKey{pool, addr}
	if b, ok := s.backends[key]; ok {
		return b
	}
	b := &Backend{key: key, set: s, up: s.families.backendUp.WithLabelValues(pool, addr)}
	b.up.Set(1)
	s.backends[key] = b
	return b
}

// RemoveBackend ends the series of a backend that is gone. Exchanges that
// still hold it may go on counting; nobody sees it.
func (s *Set) RemoveBackend(pool, addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := backendKey{pool, addr}
	b, ok := s.backends[key]
	if !ok {
		return
	}
	b.removed = true
	delete(s.backends, key)
	s.families.backendUp.DeleteLabelValues(pool, addr)
	labels := prometheus.Labels{"pool": pool, "backend": addr}
	s.families.backendRequests.DeletePartialMatch(labels)
	s.families.backendTakenOut.DeletePartialMatch(labels)
}

// Observe counts one attempt that ended: with r OK it was answered by status,
// otherwise r says what went wrong.
func (b *Backend) Observe(status int, r reason.Reason) {
	if r == reason.OK {
		class := classOf(status)
		b.answers[class].get(func() prometheus.Counter { return b.counter(className(class)) }).Inc()
		return
	}
	b.fails[r].get(func() prometheus.Counter { return b.counter(r.String()) }).Inc()
}

// Up says whether the backend is given work.
func (b *Backend) Up(up bool) { b.up.Set(truth(up)) }

// TakenOut counts that the backend was taken out of its pool; cause is one of a
// closed list.
func (b *Backend) TakenOut(cause string) {
	b.set.mu.Lock()
	defer b.set.mu.Unlock()
	if !b.removed {
		b.set.families.backendTakenOut.WithLabelValues(b.key.pool, b.key.addr, cause).Inc()
	}
}

// counter makes the counter of one result. That of a removed backend belongs
// to no family, or a late answer would bring its series back for good.
func (b *Backend) counter(result string) prometheus.Counter {
	b.set.mu.Lock()
	defer b.set.mu.Unlock()
	if b.removed {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "removed"})
	}
	return b.set.families.backendRequests.WithLabelValues(b.key.pool, b.key.addr, result)
}
