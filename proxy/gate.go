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
	"github.com/trackgate/trackgate/internal/traces"
	"github.com/trackgate/trackgate/proxy/access"
	"github.com/trackgate/trackgate/proxy/backend"
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
	Traces  *traces.Exporter // nil: off
	Metrics *metrics.Set

	places *backend.Places // the gate's own
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
	complaints zerolog.Logger            // of what clients may provoke at will: a few lines at a time
	failures   zerolog.Logger            // of attempts, a few lines at a time
	open       atomic.Int64              // connections
	room       atomic.Int64              // how many there may be
	retired    atomic.Pointer[time.Time] // since when it says that it leaves, and takes what comes nevertheless; nil: it stays
	mustEnd    atomic.Bool               // it was told to: to leave cannot be taken back
	draining   atomic.Bool
	handedOver atomic.Bool
	over       atomic.Bool   // the drain time
	ending     chan struct{} // closed with it
	serving    atomic.Bool

	// What works for the gate between Listen and the end of Run. Whoever changes it, or the
	// snapshot, has the lock.
	mu        sync.Mutex
	ports     []*port // in the order of the addresses
	inherited []*net.TCPListener
	accepting sync.WaitGroup
	pools     *shift
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
	g := &Gate{
		parts:      parts,
		crew:       newCrew(maxResting),
		hands:      newCrew(maxHands),
		ending:     make(chan struct{}),
		clients:    access.NewCounter(settings.Limits.ConnectionsPerClient),
		handshakes: access.NewPace(settings.Limits.HandshakesPerClient, time.Now()),
		hidden:     parts.Log.Sample(newRation(maxHiddenRate, time.Second)),
		failures:   parts.Log.Sample(newRation(maxComplaints, 10*time.Second)),
		complaints: parts.Log.Sample(newRation(maxComplaints, 10*time.Second)),
	}
	g.parts.places = backend.NewPlaces(g.spare)
	snap, err := compile(settings, g.parts, nil)
	if err != nil {
		return nil, err
	}
	g.publish(snap)
	g.measureRoom()
	return g, nil
}

// publish puts a snapshot in place.
func (g *Gate) publish(snap *snapshot) {
	for _, a := range snap.addresses {
		for _, l := range a.listeners {
			l.station.current.Store(l)
		}
	}
	snap.before = nil
	g.current.Store(snap)
}

func (g *Gate) timeouts() *configs.Timeouts { return &g.current.Load().timeouts }

func (g *Gate) limits() *configs.Limits { return &g.current.Load().limits }

// Listen opens all sockets, or none: the error names each address that could
// not be had.
func (g *Gate) Listen(ctx context.Context) (err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var missing []*address
	for _, a := range g.current.Load().addresses {
		if p := g.heir(a); p != nil {
			g.ports = append(g.ports, p)
			continue
		}
		missing = append(missing, a)
	}
	for _, l := range g.inherited {
		g.parts.Log.Warn().Stringer("address", l.Addr()).Msg("a socket that was inherited is at no address of the settings")
		l.Close()
	}
	g.inherited = nil
	opened, err := listenAll(ctx, missing)
	if err != nil {
		closeAll(g.ports)
		return err
	}
	g.ports = g.inOrder(append(g.ports, opened...))
	return nil
}

// inOrder sorts ports as the current snapshot has their addresses.
func (g *Gate) inOrder(ports []*port) (sorted []*port) {
	for _, a := range g.current.Load().addresses {
		i := slices.IndexFunc(ports, func(p *port) bool { return p.address.Load().name == a.name })
		sorted = append(sorted, ports[i])
	}
	return sorted
}

func listenAll(ctx context.Context, addresses []*address) (ports []*port, err error) {
	var errs []error
	for _, a := range addresses {
		p, err := listen(ctx, a)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ports = append(ports, p)
	}
	if len(errs) > 0 {
		closeAll(ports)
		return nil, errors.Join(errs...)
	}
	return ports, nil
}

func closeAll(ports []*port) {
	for _, p := range ports {
		p.socket.Close()
	}
}

// Addrs returns where the gate listens, in the order of the addresses in the
// settings.
func (g *Gate) Addrs() []net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	addrs := make([]net.Addr, len(g.ports))
	for i, p := range g.ports {
		addrs[i] = p.socket.Addr()
	}
	return addrs
}

// Run serves until ctx ends, then announces that for a while and drains: nothing new is
// accepted, what runs is finished, and after the drain time what is left is cut. Listen
// comes before.
func (g *Gate) Run(ctx context.Context) {
	g.start(ctx)
	<-ctx.Done()
	g.mustEnd.Store(true)
	while := g.timeouts().Drain
	if g.handedOver.Load() {
		while = g.letLeave(while)
	} else if g.timeouts().Announce > 0 {
		g.announce(g.timeouts().Announce)
	}
	g.close()
	g.drain(while)
	g.crew.dismiss()
	g.hands.dismiss()
	g.pools.end()
}

// Retire has the gate say that it leaves, so that whoever is before it sends its clients
// elsewhere: Ready tells of a drain, answers close their connections, and HTTP/2 ones are
// told to come again. All that comes is served nevertheless.
func (g *Gate) Retire() {
	if now := time.Now(); g.retired.CompareAndSwap(nil, &now) {
		g.register.each(func(c *conn) {
			if c.mustSay() {
				c.wake()
			}
		})
	}
}

// Stay takes Retire back. Of a gate that was told to end that is ErrDraining.
func (g *Gate) Stay() error {
	if g.mustEnd.Load() {
		return ErrDraining
	}
	if g.retired.Store(nil); !g.mustEnd.Load() {
		return nil
	}
	g.Retire() // it was told in this very moment
	return ErrDraining
}

// announce says for a while that the gate leaves. The time counts from when it was said
// first: who has had it said before, and waited, need not wait again.
func (g *Gate) announce(while time.Duration) {
	g.Retire()
	<-time.After(g.left(while))
}

// Announcing returns for how much longer those before a gate that leaves should get their
// time to notice (timeouts.announce); 0 of one that stays.
func (g *Gate) Announcing() time.Duration { return g.left(g.timeouts().Announce) }

// left is what is left of a time that began when the gate said that it leaves.
func (g *Gate) left(while time.Duration) time.Duration {
	since := g.retired.Load()
	if since == nil {
		return 0
	}
	return max(while-time.Since(*since), 0)
}

// close ends the accepting, for good.
func (g *Gate) close() {
	g.mu.Lock()
	g.draining.Store(true)
	closeAll(g.ports)
	g.mu.Unlock()
	g.accepting.Wait()
}

// letLeave waits for connections that have made their last request to leave, for a while:
// to close one that is idle might lose a request that is on its way. It returns what is
// left of the time, a moment at least.
func (g *Gate) letLeave(while time.Duration) time.Duration {
	g.mu.Lock()
	closeAll(g.ports)
	g.mu.Unlock()
	g.accepting.Wait()
	g.Retire()
	began := time.Now()
	await(g.register.gone(), while)
	return max(while-time.Since(began), lingerTime)
}

// start lets the pools work and, once they know their backends, clients in.
func (g *Gate) start(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pools = newShift()
	g.pools.start(ctx, slices.Collect(maps.Values(g.current.Load().pools)))
	g.accept(g.ports)
	g.serving.Store(true)
}

// accept takes connections at ports, each until it is closed.
func (g *Gate) accept(ports []*port) {
	for _, p := range ports {
		g.accepting.Go(func() { g.acceptAll(p) })
	}
}

// drain waits for the connections to finish, and cuts those that do not in a while.
func (g *Gate) drain(while time.Duration) {
	gone := g.register.gone()
	g.register.each((*conn).wake)
	timer := time.NewTimer(while)
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
	g.pools.each((*pool.Pool).Close)
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
	g.pools.each((*pool.Pool).Stop)
}

// ErrDraining and ErrNotServing say why the gate is not ready.
var (
	ErrDraining   = errors.New("draining")
	ErrNotServing = errors.New("not serving yet")
)

// Ready returns nil when the gate takes traffic.
func (g *Gate) Ready() error {
	switch {
	case g.draining.Load(), g.retired.Load() != nil:
		return ErrDraining
	case !g.serving.Load():
		return ErrNotServing
	}
	return nil
}

// Backends returns what is known of every backend, pool by pool in the order of
// their names.
func (g *Gate) Backends() []pool.State {
	list := []pool.State{}
	for _, p := range sorted(g.current.Load().pools) {
		list = append(list, p.States()...)
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
