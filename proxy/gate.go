package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/health"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/access"
)

// Parts are what the gate is given: it makes none of them.
type Parts struct {
	// Certify returns the TLS configuration of the listeners of one address. It
	// calls SetListener on the connection it is given.
	Certify func([]configs.Listener) *tls.Config
	// HandshakeResult gives a failed handshake its word; nil is all the same.
	HandshakeResult func(error) metrics.Handshake
	Log             zerolog.Logger
	Access          *accesslog.Log
	Metrics         *metrics.Set
}

// Gate is the whole of the request path.
type Gate struct {
	parts      Parts
	hidden     zerolog.Logger // for texts that hide_errors keeps back
	current    atomic.Pointer[snapshot]
	clients    *access.Counter
	crew       *crew
	register   register
	complaints zerolog.Logger // of what clients may provoke at will: a few lines at a time
	open       atomic.Int64   // connections
	room       int64          // how many there may be
	draining   atomic.Bool
	over       atomic.Bool // the drain time
	serving    atomic.Bool
	sockets    []*net.TCPListener
}

// maxComplaints is how many lines in ten seconds tell of refused connections.
const maxComplaints = 5

// New compiles settings into a gate that is not open yet.
func New(settings *configs.Settings, parts Parts) (*Gate, error) {
	snap, err := compile(settings, parts.Metrics, parts.Certify)
	if err != nil {
		return nil, err
	}
	g := &Gate{
		parts:      parts,
		crew:       newCrew(),
		clients:    access.NewCounter(settings.Limits.ConnectionsPerClient),
		hidden:     parts.Log.Sample(&zerolog.BurstSampler{Burst: maxHiddenRate, Period: time.Second}),
		complaints: parts.Log.Sample(&zerolog.BurstSampler{Burst: maxComplaints, Period: 10 * time.Second}),
	}
	g.current.Store(snap)
	g.measureRoom()
	return g, nil
}

func (g *Gate) timeouts() *configs.Timeouts { return &g.current.Load().timeouts }

func (g *Gate) limits() *configs.Limits { return &g.current.Load().limits }

// Listen opens all sockets, or none: the error names each address that could
// not be had.
func (g *Gate) Listen(ctx context.Context) error {
	var errs []error
	for _, a := range g.current.Load().addresses {
		l, err := listen(ctx, a)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		g.sockets = append(g.sockets, l)
	}
	if len(errs) > 0 {
		g.closeSockets()
		return errors.Join(errs...)
	}
	return nil
}

func (g *Gate) closeSockets() {
	for _, l := range g.sockets {
		l.Close()
	}
}

// Addrs returns where the gate listens, in the order of the addresses in the
// settings.
func (g *Gate) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(g.sockets))
	for i, l := range g.sockets {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Run serves until ctx ends, then drains: nothing new is accepted, what runs is
// finished, and after the drain time what is left is cut. Listen comes before.
func (g *Gate) Run(ctx context.Context) {
	snap := g.current.Load()
	background, stop := context.WithCancel(context.Background())
	var helpers, accepting sync.WaitGroup
	for _, p := range snap.pools {
		helpers.Go(func() { g.check(background, p) })
	}
	helpers.Go(func() { sweep(background, snap) })
	for i, a := range snap.addresses {
		accepting.Go(func() { g.acceptAll(g.sockets[i], a) })
	}
	g.serving.Store(true)
	<-ctx.Done()
	g.draining.Store(true)
	g.closeSockets()
	accepting.Wait()
	g.drain()
	g.crew.dismiss()
	stop()
	helpers.Wait()
}

// drain waits for the connections to finish, and cuts those that do not.
func (g *Gate) drain() {
	gone := g.register.gone()
	g.register.each((*conn).wake)
	timer := time.NewTimer(g.timeouts().Drain)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
		g.parts.Log.Warn().Int64("connections", g.open.Load()).Msg("the drain time is over: the rest is cut")
		g.over.Store(true)
		g.register.each((*conn).cut)
		<-gone
	}
	for _, p := range g.current.Load().pools {
		for _, b := range p.backends {
			b.conns.Close()
		}
	}
}

// ErrDraining and ErrNotServing say why the gate is not ready.
var (
	ErrDraining   = errors.New("draining")
	ErrNotServing = errors.New("not serving yet")
)

// Ready returns nil when the gate takes traffic.
func (g *Gate) Ready() error {
	switch {
	case g.draining.Load():
		return ErrDraining
	case !g.serving.Load():
		return ErrNotServing
	}
	return nil
}

// check runs the active checks of a pool.
func (g *Gate) check(ctx context.Context, p *pool) {
	targets := make([]health.Target, len(p.backends))
	for i, b := range p.backends {
		targets[i] = health.Target{Addr: b.addr}
	}
	health.New(p.settings.Health, targets, func(i int, up bool, why string) {
		g.checked(p, p.balance.Backends()[i], up, why)
	}).Run(ctx)
}

// checked takes the verdict of a check.
func (g *Gate) checked(p *pool, b *balancer.Backend, up bool, why string) {
	p.balance.SetUp(b, up)
	p.backends[b.Index].metrics.Up(up)
	event := g.parts.Log.Info()
	if !up {
		event = g.parts.Log.Warn()
	}
	event.Str("pool", p.name).Str("backend", b.Addr).Bool("up", up).Str("why", why).Msg("backend changed state")
}

// sweepInterval is how often kept connections are looked through.
const sweepInterval = time.Second

// sweep closes connections to backends that were kept for too long.
func sweep(ctx context.Context, snap *snapshot) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, p := range snap.pools {
				for _, b := range p.backends {
					b.conns.Sweep(now)
				}
			}
		}
	}
}
