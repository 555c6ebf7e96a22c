package proxy

import (
	"context"
	"errors"
	"slices"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/pool"
)

// Change is a snapshot that is ready to take the place of the current one. Exactly one of
// Commit and Cancel is called.
type Change struct {
	gate   *Gate
	next   *snapshot
	update []func()     // of pools that stay
	moves  []string     // what that is, in words
	pools  []*pool.Pool // that are new
	opened []*port
}

// ErrNotRunning says that there is nothing that could be changed.
var ErrNotRunning = errors.New("the gate does not serve, or no longer")

// Prepare does everything that can fail before settings take the place of those that the
// gate runs with: it compiles them, opens the sockets that are new, and looks for new
// backends. Nobody notices anything. Log, Access, Metrics and HandshakeResult of parts are
// those that New was given. Changes are made one at a time.
func (g *Gate) Prepare(ctx context.Context, settings *configs.Settings, parts Parts) (*Change, error) {
	if !g.serving.Load() || g.draining.Load() {
		return nil, ErrNotRunning
	}
	before := g.current.Load()
	parts.places = g.parts.places
	next, err := compile(settings, parts, before)
	if err != nil {
		return nil, err
	}
	c := &Change{gate: g, next: next}
	if c.opened, err = listenAll(ctx, newcomers(before, next)); err != nil {
		return nil, err
	}
	for _, s := range settings.Pools {
		p := next.pools[s.Name]
		switch old := before.pools[s.Name]; {
		case p == old:
			c.update = append(c.update, func() { p.Update(s) })
			c.moves = append(c.moves, movesOf(p, s)...)
		case old != nil:
			p.Inherit(old.Drained())
			fallthrough
		default:
			c.pools = append(c.pools, p)
		}
	}
	g.pools.start(ctx, c.pools)
	return c, nil
}

// newcomers returns the addresses of next that before does not have.
func newcomers(before, next *snapshot) []*address {
	return slices.DeleteFunc(slices.Clone(next.addresses), func(a *address) bool { return before.at(a.name) != nil })
}

// Cancel gives back what Prepare took.
func (c *Change) Cancel() {
	closeAll(c.opened)
	for _, p := range c.pools {
		c.gate.pools.stop(p)
		if old := c.gate.current.Load().pools[p.Name()]; old != nil {
			old.Show()
		}
		p.Leave(c.gate.current.Load().pools[p.Name()])
	}
}

// Commit puts the settings in place. Listeners, connections and pools of which nothing
// has changed do not notice; connections whose listener is gone, or is there on other
// terms, finish what they have, for at most the drain time. It fails with ErrNotRunning
// when the gate has begun to drain meanwhile.
func (c *Change) Commit() error {
	g := c.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining.Load() {
		c.Cancel()
		return ErrNotRunning
	}
	before := g.current.Load()
	for _, update := range c.update {
		update()
	}
	for _, p := range c.pools {
		p.Show()
	}
	ended := endStations(before, c.next)
	g.publish(c.next)
	g.clients.SetLimit(c.next.limits.ConnectionsPerClient)
	g.handshakes.SetRate(c.next.limits.HandshakesPerClient)
	g.measureRoom()
	g.exchangePorts(c.opened)
	g.retirePools(before)
	if len(ended) > 0 {
		g.sendAway(ended)
	}
	return nil
}

// exchangePorts accepts at the addresses of the current snapshot and nowhere else. mu is
// held.
func (g *Gate) exchangePorts(opened []*port) {
	had := append(g.ports, opened...)
	g.ports = g.inOrder(had)
	for i, a := range g.current.Load().addresses {
		g.ports[i].address.Store(a)
	}
	closeAll(slices.DeleteFunc(had, func(p *port) bool { return slices.Contains(g.ports, p) }))
	g.accept(opened)
}

// retirePools lets the pools finish that were replaced or removed.
func (g *Gate) retirePools(before *snapshot) {
	var gone []*pool.Pool
	for name, p := range before.pools {
		if g.current.Load().pools[name] != p {
			gone = append(gone, p)
		}
	}
	g.pools.retire(gone, g.timeouts().Drain, func(p *pool.Pool) { p.Leave(g.current.Load().pools[p.Name()]) })
}

// endStations says of listeners that are gone or have other terms that they have ended, and
// returns them. It comes before the new ones can be found: a connection that has come to
// the old ones must not look for its own among the new.
func endStations(before, next *snapshot) (ended []*station) {
	for _, a := range before.addresses {
		for _, l := range a.listeners {
			if now := next.listener(a.name, l.name); now == nil || now.station != l.station {
				l.station.ended.Store(true)
				ended = append(ended, l.station)
			}
		}
	}
	return ended
}

// sendAway has the connections of listeners that have ended leave, and cuts those that
// have not when the drain time is over.
func (g *Gate) sendAway(ended []*station) {
	g.register.each(func(c *conn) {
		if c.mustSay() {
			c.wake()
		}
	})
	g.pools.later(g.timeouts().Drain, func() { g.dismiss(ended) })
}

// dismiss ends the connections that were to leave: those that wait take a last look, and
// the others are cut a moment later. Those of listeners that have ended since have their
// own time.
func (g *Gate) dismiss(ended []*station) {
	had := func(c *conn) bool { return slices.Contains(ended, c.station.Load()) }
	g.register.each(func(c *conn) {
		if had(c) {
			c.dismissed.Store(true)
			c.wake()
		}
	})
	await(g.pools.over, lingerTime)
	g.register.each(func(c *conn) {
		if had(c) {
			c.cut()
		}
	})
}
