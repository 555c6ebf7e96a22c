package pool

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/health"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/backend"
)

// Parts are what a pool is given.
type Parts struct {
	Log     zerolog.Logger
	Metrics *metrics.Set
	// TLS returns the configuration of connections to https backends, as it is
	// now; nil in a pool without any.
	TLS func() *tls.Config
	// Places are those of connections to all backends of the gate; nil is any number.
	Places *backend.Places
}

// Pool is one entry of pools. Its methods may be called by any number of
// goroutines.
type Pool struct {
	settings configs.Pool
	parts    Parts
	metrics  *metrics.Pool
	balance  *balancer.Pool
	monitor  *health.Monitor
	budget   budget

	mu       sync.Mutex // held to change who is a member
	backends []configs.Backend
	entries  []*entry
	members  map[identity]*Backend
	awaited  map[string]bool // addresses that begin drained when they are found
}

// New returns the pool of these settings. Backends with an address of their own
// are members at once; Run finds the others.
func New(settings configs.Pool, parts Parts) *Pool {
	p := &Pool{
		settings: settings, parts: parts, metrics: parts.Metrics.Pool(settings.Name), members: map[identity]*Backend{},
		awaited: map[string]bool{},
		balance: balancer.New(balancer.Options{
			Policy: policyOf(settings.Policy), Limit: settings.MaxConnections,
			SlowStart: settings.SlowStart, Queue: settings.Queue.Size,
		}),
	}
	p.budget = budget{percent: settings.Retry.Budget, running: p.balance.Running}
	p.monitor = health.NewMonitor(settings.Health, p.changed)
	p.backends, p.entries = settings.Backends, newEntries(settings, parts.Metrics)
	p.metrics.Waiting(p.balance.Waiting)
	p.reconcile(time.Now())
	return p
}

// Name is what the settings call the pool.
func (p *Pool) Name() string { return p.settings.Name }

// Settings returns what the pool was made of: read only. Update may have changed its
// backends.
func (p *Pool) Settings() *configs.Pool { return &p.settings }

// Metrics returns what is counted for all backends of the pool.
func (p *Pool) Metrics() *metrics.Pool { return p.metrics }

// Size is how many backends there are now.
func (p *Pool) Size() int { return len(p.balance.Backends()) }

// Claim picks the backend whose turn it is, none of tried if there is another,
// and claims it until Backend.Done. If there is none, or all have as many
// attempts as they may, it waits as long as the settings say. The error is
// balancer.ErrNone, ErrFull or ErrStopped.
func (p *Pool) Claim(tried []*balancer.Backend) (*Backend, error) {
	turn, err := p.balance.Await(tried, p.settings.Queue.Busy, p.settings.Queue.Wait)
	if err != nil {
		return nil, err
	}
	return turn.Owner.(*Backend), nil
}

// Next returns the address of the backend that Claim would pick now for a new request.
// It claims and counts nothing. The error is balancer.ErrNone or ErrFull.
func (p *Pool) Next() (addr string, err error) {
	turn, err := p.balance.Next()
	if err != nil {
		return "", err
	}
	return turn.Addr, nil
}

// Waiting is how many requests wait for a backend.
func (p *Pool) Waiting() int { return p.balance.Waiting() }

// HasOther reports whether a backend that is neither last nor one of tried could
// take the work now.
func (p *Pool) HasOther(last *Backend, tried []*balancer.Backend) bool {
	return p.balance.CanTake(append(slices.Clip(tried), last.turn))
}

// Stop ends all waits in Claim, now and later, with balancer.ErrStopped.
func (p *Pool) Stop() { p.balance.Stop() }

// sweepInterval is how often kept connections are looked through and slow
// starts go on.
const sweepInterval = time.Second

// Run finds and checks backends until ctx ends. found is called once, when every
// name has been asked for the first time, with or without success.
func (p *Pool) Run(ctx context.Context, found func()) {
	var parts sync.WaitGroup
	parts.Go(func() { p.monitor.Run(ctx) })
	parts.Go(func() { p.discover(ctx, found) })
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			p.balance.Ramp(now)
			p.sweep(now)
		case <-ctx.Done():
			parts.Wait()
			return
		}
	}
}

// sweep closes connections that were kept for too long.
func (p *Pool) sweep(now time.Time) {
	for _, turn := range p.balance.Backends() {
		turn.Owner.(*Backend).Conns.Sweep(now)
	}
}

// Spare closes a connection that nobody uses, and reports whether there was one.
func (p *Pool) Spare() bool {
	return slices.ContainsFunc(p.balance.Backends(), func(turn *balancer.Backend) bool { return turn.Owner.(*Backend).Conns.Spare() })
}

// Close closes the connections that nobody uses; those in use close when they
// are put back.
func (p *Pool) Close() {
	for _, turn := range p.balance.Backends() {
		turn.Owner.(*Backend).Conns.Close()
	}
}

// changed takes the verdict of the monitor. A backend that is down keeps none of
// its connections: they may lead nowhere.
func (p *Pool) changed(s *health.Subject, state health.State) {
	b, up := s.Owner.(*Backend), state.Status != health.Down
	p.balance.SetUp(b.turn, up, time.Now())
	b.metrics.Up(up)
	event := p.parts.Log.Info()
	if !up {
		b.Conns.Purge()
		b.metrics.TakenOut(state.Cause.String())
		event = p.parts.Log.Warn()
	}
	event.Str("pool", p.Name()).Str("backend", b.Addr).Bool("up", up).Str("why", state.Why).Msg("backend changed state")
}

// policyOf is the balancer's word for that of the settings.
func policyOf(p configs.Policy) balancer.Policy {
	switch p {
	case configs.LeastBusy:
		return balancer.LeastBusy
	case configs.TwoChoices:
		return balancer.TwoChoices
	}
	return balancer.RoundRobin
}
