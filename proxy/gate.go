package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/access"
	"github.com/trackgate/trackgate/proxy/pool"
)

// Parts are what the gate is given: it makes none of them.
type Parts struct {
	// Certify returns the TLS configuration of the listeners of one address. It
	// calls SetListener on the connection it is given.
	Certify func([]configs.Listener) *tls.Config
	// Challenge returns what an authority wants to read at a path of a host, nil when it
	// is none that waits for it; a nil func answers nobody.
	Challenge func(host, path string) []byte
	// Outbound returns where a pool with https backends gets the TLS configuration
	// of its connections from; nil for pools without any.
	Outbound func(configs.Pool) func() *tls.Config
	// HandshakeResult gives a failed handshake its word; nil is all the same.
	HandshakeResult func(error) metrics.Handshake
	// Own reports whether a connection from there is a probe of the program itself, which
	// gets a handshake and nothing else; nil is none.
	Own     func(netip.AddrPort) bool
	Log     zerolog.Logger
	Access  *accesslog.Log
	Metrics *metrics.Set
}

// Gate is the whole of the request path.
type Gate struct {
	parts      Parts
	hidden     zerolog.Logger // for texts that hide_errors keeps back
	current    atomic.Pointer[snapshot]
	clients    *access.Counter
	handshakes *access.Pace
	crew       *crew // for connections
	hands      *crew // for streams
	register   register
	complaints zerolog.Logger // of what clients may provoke at will: a few lines at a time
	failures   zerolog.Logger // of attempts, a few lines at a time
	open       atomic.Int64   // connections
	room       int64          // how many there may be
	draining   atomic.Bool
	over       atomic.Bool   // the drain time
	ending     chan struct{} // closed with it
	serving    atomic.Bool
	sockets    []*net.TCPListener
}

// How many goroutines rest, at most, to serve connections and streams. Those of
// connections have the large stacks that handshakes need.
const (
	maxResting = 64
	maxHands   = 512
)

// maxComplaints is how many lines in ten seconds tell of refused connections, and
// how many of attempts that failed.
const maxComplaints = 5

// New compiles settings into a gate that is not open yet.
func New(settings *configs.Settings, parts Parts) (*Gate, error) {
	snap, err := compile(settings, parts)
	if err != nil {
		return nil, err
	}
	g := &Gate{
		parts:      parts,
		crew:       newCrew(maxResting),
		hands:      newCrew(maxHands),
		ending:     make(chan struct{}),
		clients:    access.NewCounter(settings.Limits.ConnectionsPerClient),
		handshakes: access.NewPace(settings.Limits.HandshakesPerClient, time.Now()),
		hidden:     parts.Log.Sample(&zerolog.BurstSampler{Burst: maxHiddenRate, Period: time.Second}),
		failures:   parts.Log.Sample(&zerolog.BurstSampler{Burst: maxComplaints, Period: 10 * time.Second}),
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
	g.startPools(background, ctx, &helpers)
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
	g.hands.dismiss()
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
		g.end()
		await(gone, lastWord)
		g.register.each((*conn).cut)
		<-gone
	}
	for _, p := range g.current.Load().pools {
		p.Close()
	}
}

// lastWord is how long those who waited for a backend have to tell their clients
// that none came.
const lastWord = 50 * time.Millisecond

// await waits until done is closed, for a while.
func await(done <-chan struct{}, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// end tells everybody who waits that the drain time is over.
func (g *Gate) end() {
	g.over.Store(true)
	close(g.ending)
	for _, p := range g.current.Load().pools {
		p.Stop()
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

// firstLook is how long the gate waits at its start for names that stand for
// backends. What is found later joins later.
const firstLook = 3 * time.Second

// startPools lets the pools work until background ends, and waits until each knows
// its backends, so that the first requests find them.
func (g *Gate) startPools(background, ctx context.Context, helpers *sync.WaitGroup) {
	var looking sync.WaitGroup
	for _, p := range g.current.Load().pools {
		looking.Add(1)
		helpers.Go(func() { p.Run(background, looking.Done) })
	}
	found := make(chan struct{})
	helpers.Go(func() {
		looking.Wait()
		close(found)
	})
	timer := time.NewTimer(firstLook)
	defer timer.Stop()
	select {
	case <-found:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Backends returns what is known of every backend, pool by pool in the order of
// their names.
func (g *Gate) Backends() []pool.State {
	pools, list := g.current.Load().pools, []pool.State{}
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		list = append(list, pools[name].States()...)
	}
	return list
}

// Drain lets a backend take no new work, or take it again.
func (g *Gate) Drain(name, addr string, draining bool) error {
	return g.inPool(name, func(p *pool.Pool) error { return p.Drain(addr, draining) })
}

// SetWeight changes the share of a backend; 0 is none.
func (g *Gate) SetWeight(name, addr string, weight int) error {
	return g.inPool(name, func(p *pool.Pool) error { return p.SetWeight(addr, weight) })
}

func (g *Gate) inPool(name string, do func(*pool.Pool) error) error {
	p, ok := g.current.Load().pools[name]
	if !ok {
		return fmt.Errorf("no pool is named %q", name)
	}
	return do(p)
}
