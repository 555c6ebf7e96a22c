package proxy

import (
	"sync"

	"github.com/trackgate/trackgate/internal/metrics"
)

// register knows the open connections, newest first, so that a drain can reach
// them.
type register struct {
	mu     sync.Mutex
	newest *conn
	oldest *conn
	empty  chan struct{} // closed when the last one goes; nil unless somebody waits
}

// add enters c.
func (r *register) add(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.older = r.newest; c.older != nil {
		c.older.newer = c
	} else {
		r.oldest = c
	}
	r.newest = c
}

// remove takes c out.
func (r *register) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		r.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		r.oldest = c.newer
	}
	c.newer, c.older = nil, nil
	if r.newest == nil && r.empty != nil {
		close(r.empty)
		r.empty = nil
	}
}

// each calls f for all connections. f must not wait.
func (r *register) each(f func(*conn)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := r.newest; c != nil; c = c.older {
		f(c)
	}
}

// gone returns a channel that is closed when no connection is left.
func (r *register) gone() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := make(chan struct{})
	if r.newest == nil {
		close(done)
	} else {
		r.empty = done
	}
	return done
}

// opened counts a connection, unless something stands against it: there must be
// room for it and, when it is known already, for its client.
func (g *Gate) opened(c *conn) metrics.Refusal {
	if c.own {
		g.open.Add(1)
		g.register.add(c)
		return metrics.NotRefused
	}
	if !c.address.proxied && !g.counted(c) {
		return metrics.ClientHasMany
	}
	if g.open.Add(1); g.full() {
		g.open.Add(-1)
		if c.counted {
			g.clients.Release(c.client)
		}
		return metrics.NoRoom
	}
	g.register.add(c)
	return metrics.NotRefused
}

// counted counts a connection of its client, if there is room for it. A trusted
// proxy brings many clients, and is not counted; behind a PROXY header the client
// is known only when the header is.
func (g *Gate) counted(c *conn) bool {
	if c.address.listeners[0].trusted.Contains(c.client) {
		return true
	}
	c.counted = g.clients.Acquire(c.client)
	return c.counted
}

// closed ends what opened began.
func (g *Gate) closed(c *conn) {
	if c.listener != nil {
		c.listener.metrics.Closed(c.protocol())
	}
	if c.counted {
		g.clients.Release(c.client)
	}
	g.open.Add(-1)
	g.register.remove(c)
}
