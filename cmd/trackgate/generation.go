package main

import (
	"context"
	"errors"
	"sync"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/traces"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

// generation is what changes with the settings: it is made whole, and replaced as a whole.
type generation struct {
	settings *configs.Settings
	keeper   *tlsconf.Keeper
	outbound outbound
	traces   traces.Options
}

func firstGeneration(settings *configs.Settings, log zerolog.Logger) (*generation, error) {
	keeper, err := tlsconf.New(settings.TLS, settings.Listeners, log)
	if err != nil {
		return nil, err
	}
	g := &generation{settings: settings, keeper: keeper}
	if g.traces, err = traceOptions(settings.Traces); err == nil {
		g.outbound, err = newOutbound(settings.Pools, nil, log)
	}
	return g, err
}

// next makes the generation for other settings, which shares with g what stays as it is.
func (g *generation) next(settings *configs.Settings, log zerolog.Logger) (*generation, error) {
	keeper, err := g.keeper.Next(settings.TLS, settings.Listeners)
	if err != nil {
		return nil, err
	}
	n := &generation{settings: settings, keeper: keeper}
	if n.traces, err = traceOptions(settings.Traces); err == nil {
		n.outbound, err = newOutbound(settings.Pools, g.outbound, log)
	}
	if err != nil {
		n.discard(g)
		return nil, err
	}
	return n, nil
}

// discard gives back what a generation has opened that does not take the place of g.
func (n *generation) discard(g *generation) {
	if n.keeper != g.keeper {
		n.keeper.Discard()
	}
}

// keep lets the current generation look after its files and certificates, until ctx ends.
// A keeper works only when the one before it has ended.
func (s *server) keep(ctx context.Context) {
	for ctx.Err() == nil {
		s.tend(ctx, s.current.Load())
	}
}

// tend works for a generation until there is another keeper, or ctx ends.
func (s *server) tend(ctx context.Context, g *generation) {
	inner, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	working.Go(func() {
		if err := g.keeper.Run(inner); err != nil {
			s.log.Error().Err(err).Msg("certificates are not watched any more")
		}
	})
	for s.keeper() == g.keeper && ctx.Err() == nil {
		s.followOutbound(inner, s.current.Load().outbound)
	}
}

// followOutbound follows the files of connections to backends until there is another
// generation, or ctx ends.
func (s *server) followOutbound(ctx context.Context, o outbound) {
	inner, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	working.Go(func() { o.run(inner, s.log) })
	select {
	case <-s.changed:
	case <-ctx.Done():
	}
}

// errNoFile says that there is nothing to load again.
var errNoFile = errors.New("this gate was not started from a file of settings")

// plan is a generation that is ready to be used.
type plan struct {
	server *server
	next   *generation
	change *proxy.Change
	sides  *sidesChange
	output logOutput // of the access log; nil: it stays
}

// prepare does all that can fail before settings are used.
func (s *server) prepare(ctx context.Context, settings *configs.Settings) (*plan, error) {
	current := s.current.Load()
	next, err := current.next(settings, s.log)
	if err != nil {
		return nil, err
	}
	p := &plan{server: s, next: next}
	if p.output, err = s.newOutput(settings.Log.Access); err == nil {
		p.sides, err = s.sides.prepare(ctx, settings.Admin, s.log)
	}
	if err == nil {
		p.change, err = s.gate.Prepare(ctx, settings, s.parts(next))
	}
	if err != nil {
		p.giveBack()
		return nil, err
	}
	return p, nil
}

// cancel gives everything back.
func (p *plan) cancel() {
	p.change.Cancel()
	p.giveBack()
}

// giveBack closes what was opened beside the gate.
func (p *plan) giveBack() {
	if p.sides != nil {
		p.sides.cancel()
	}
	if p.output != nil {
		p.output.Close() //nolint:errcheck // nothing was written
	}
	p.next.discard(p.server.current.Load())
}

// commit uses the settings.
func (p *plan) commit() error {
	s := p.server
	if err := p.change.Commit(); err != nil {
		p.giveBack()
		return err
	}
	s.current.Store(p.next)
	select {
	case s.changed <- struct{}{}:
	default:
	}
	p.sides.commit()
	s.access.SetSample(p.next.settings.Log.Access.Sample)
	s.traces.Set(p.next.traces)
	if p.output != nil {
		s.exchangeOutput(p.output)
	}
	setLevel(p.next.settings.Log.Level)
	return nil
}
