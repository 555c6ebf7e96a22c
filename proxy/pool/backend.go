package pool

import (
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/health"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/backend"
)

// Backend is a member of a pool with what the gate holds for it.
type Backend struct {
	Addr  string // host:port; what logs and metrics call it
	Conns *backend.Conns

	pool    *Pool
	turn    *balancer.Backend
	subject *health.Subject
	metrics *metrics.Backend
	tls     func() *tls.Config // of probes; nil for plain HTTP
	weight  int                // as the settings and the names have it; of reconcile
}

// newBackend returns a backend that nobody knows yet.
func (p *Pool) newBackend(w wanted) *Backend {
	b := &Backend{
		Addr: w.addr, pool: p, turn: balancer.NewBackend(w.addr, w.weight), weight: w.weight,
		metrics: p.parts.Metrics.Backend(p.Name(), w.addr),
	}
	b.turn.Owner, b.turn.Priority = b, w.priority
	options := backend.Options{
		Connect: p.settings.Timeouts.Connect, Response: p.settings.Timeouts.Response, Idle: p.settings.Timeouts.Idle,
		Slow:   func(slow bool) { p.balance.SetSuspect(b.turn, slow) },
		Places: p.parts.Places,
	}
	if w.secure {
		options.TLS, options.ServerName, b.tls = p.parts.TLS, w.name, p.named(w.name)
	}
	b.Conns = backend.New(w.addr, options)
	return b
}

// Turn is the backend as the balancer knows it, for the next Claim to avoid.
func (b *Backend) Turn() *balancer.Backend { return b.turn }

// Result is how an attempt ended.
type Result struct {
	Reason reason.Reason // OK: an answer came
	Status int           // of the answer
	Client netip.Addr    // who asked
	Began  time.Time     // the attempt
	Ended  time.Time     // its answer
	Err    error         // if no answer came
}

// Done counts an attempt, lets health know of it, and ends the claim.
func (b *Backend) Done(r Result) {
	b.metrics.Observe(r.Status, r.Reason)
	b.pool.metrics.Observe(r.Ended.Sub(r.Began).Seconds())
	b.observe(r)
	b.Release()
}

// observe tells health what says something about the backend: not what a client
// did, and not an answer that broke off, for which a client may be the cause.
func (b *Backend) observe(r Result) {
	switch r.Reason {
	case reason.OK:
		b.subject.Answer(r.Status, r.Client, r.Ended)
	case reason.ConnectFailed:
		b.subject.Unreachable(r.Err)
	case reason.BackendTimeout:
		b.subject.Late(r.Began)
	case reason.BackendClosed, reason.BackendMalformed:
		b.subject.Doubt()
	}
}

// idle tells health whether the backend takes work at all: if it does not, nobody
// counts on it.
func (b *Backend) idle() { b.subject.SetIdle(b.turn.Weight() == 0 || b.turn.Draining()) }

// Release ends the claim of an attempt that says nothing about the backend.
func (b *Backend) Release() { b.pool.balance.Release(b.turn) }
