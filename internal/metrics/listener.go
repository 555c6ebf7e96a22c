package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trackgate/trackgate/internal/reason"
)

// Listener counts what happens on one listener.
type Listener struct {
	name        string
	families    *families
	duration    prometheus.Observer
	requests    [classes][reason.Count]lazy[prometheus.Counter]
	handshakes  [handshakeCount]lazy[prometheus.Counter]
	connections [protocolCount]lazy[prometheus.Gauge]
}

// Listener returns the metrics of the listener with that name from the settings.
func (s *Set) Listener(name string) *Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.listeners[name]; ok {
		return l
	}
	l := &Listener{name: name, families: &s.families, duration: s.families.requestDuration.WithLabelValues(name)}
	l.counter(classOf(200), reason.OK) // so that a rate has a beginning
	s.listeners[name] = l
	return l
}

// Observe counts one exchange that ended: the status that was sent, 0 if none
// was, why it ended so, and how long it took.
func (l *Listener) Observe(status int, r reason.Reason, seconds float64) {
	l.counter(classOf(status), r).Inc()
	l.duration.Observe(seconds)
}

func (l *Listener) counter(class int, r reason.Reason) prometheus.Counter {
	return l.requests[class][r].get(func() prometheus.Counter {
		return l.families.requests.WithLabelValues(l.name, className(class), r.String())
	})
}

// Opened counts one more connection of p.
func (l *Listener) Opened(p Protocol) { l.gauge(p).Inc() }

// Closed counts one connection of p less.
func (l *Listener) Closed(p Protocol) { l.gauge(p).Dec() }

func (l *Listener) gauge(p Protocol) prometheus.Gauge {
	return l.connections[p].get(func() prometheus.Gauge {
		return l.families.connections.WithLabelValues(l.name, p.String())
	})
}

// Handshake counts one TLS handshake that ended.
func (l *Listener) Handshake(result Handshake) {
	l.handshakes[result].get(func() prometheus.Counter {
		return l.families.handshakes.WithLabelValues(l.name, result.String())
	}).Inc()
}
