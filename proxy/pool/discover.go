package pool

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/trackgate/trackgate/balancer/discovery"
)

// discover watches all names until ctx ends.
func (p *Pool) discover(ctx context.Context, found func()) {
	resolver := discovery.NewResolver(discovery.Options{
		Servers: p.settings.DNS.Servers, Refresh: p.settings.DNS.Refresh, Timeout: p.settings.DNS.Timeout,
	})
	p.mu.Lock()
	entries := slices.Clone(p.entries)
	p.mu.Unlock()
	var watches, first sync.WaitGroup
	for _, e := range entries {
		if watch := e.watch(resolver); watch != nil {
			first.Add(1)
			once := sync.OnceFunc(first.Done)
			watches.Go(func() {
				defer once()
				watch.Run(ctx, func(r discovery.Result) {
					p.resolved(e, r)
					once()
				})
			})
		}
	}
	first.Wait()
	found()
	watches.Wait()
}

// resolved takes the outcome of one lookup. A failure is told once, and so is its
// end; what was found before stays.
func (p *Pool) resolved(e *entry, r discovery.Result) {
	e.metrics.Resolved(r.Err == nil, time.Now())
	if failing := r.Err != nil; failing != e.failing {
		e.failing = failing
		p.tellResolved(e, r.Err)
	}
	if partial := r.Partial != nil; partial != e.partial {
		e.partial = partial
		p.tellPartial(e, r.Partial)
	}
	if r.Changed {
		p.found(e, r)
	}
}

// tellPartial says that a part of what a name stands for cannot be asked for, or
// can be again.
func (p *Pool) tellPartial(e *entry, err error) {
	log := p.parts.Log.With().Str("pool", p.Name()).Str("name", e.Host).Logger()
	if err != nil {
		log.Warn().Err(err).Msg("a part of the lookup fails: what it found last stays")
		return
	}
	log.Info().Msg("all of the lookup works again")
}

// tellResolved says that a name cannot be resolved, or can be again.
func (p *Pool) tellResolved(e *entry, err error) {
	log := p.parts.Log.With().Str("pool", p.Name()).Str("name", e.Host).Logger()
	if err != nil {
		log.Warn().Err(err).Msg("backends cannot be looked up: those found last stay")
		return
	}
	log.Info().Msg("backends can be looked up again")
}

// found makes what a name stands for members of the pool.
func (p *Pool) found(e *entry, r discovery.Result) {
	if r.Dropped > 0 {
		p.parts.Log.Warn().Str("pool", p.Name()).Str("name", e.Host).Int("left_out", r.Dropped).
			Msg("the name stands for more backends than a pool takes")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e.members = r.Members
	p.reconcile(time.Now())
}
