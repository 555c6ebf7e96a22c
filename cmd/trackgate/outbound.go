package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/tlsconf"
)

// outbound is how the pools with https backends speak TLS, by their names.
type outbound map[string]secured

// secured is one of them, and what it was made of.
type secured struct {
	*tlsconf.Outbound
	settings configs.BackendTLS
}

// newOutbound loads what the pools need for HTTPS to their backends. What old has of the
// same settings is used on: connections of a pool that stays keep asking it.
func newOutbound(pools []configs.Pool, old outbound, log zerolog.Logger) (outbound, error) {
	all := outbound{}
	for _, p := range pools {
		if !slices.ContainsFunc(p.Backends, func(b configs.Backend) bool { return b.Scheme == "https" }) {
			continue
		}
		if had, ok := old[p.Name]; ok && had.settings == p.TLS {
			all[p.Name] = had
			continue
		}
		o, err := tlsconf.NewOutbound(p.TLS, log)
		if err != nil {
			return nil, fmt.Errorf("pool %s: %w", p.Name, err)
		}
		all[p.Name] = secured{o, p.TLS}
	}
	return all, nil
}

// of returns where a pool gets the configuration of its connections from; nil
// for pools without HTTPS.
func (o outbound) of(p configs.Pool) func() *tls.Config {
	if one, ok := o[p.Name]; ok {
		return one.Config
	}
	return nil
}

// run watches the files until ctx ends.
func (o outbound) run(ctx context.Context, log zerolog.Logger) {
	var watches sync.WaitGroup
	for name, one := range o {
		watches.Go(func() {
			if err := one.Run(ctx); err != nil {
				log.Error().Err(err).Str("pool", name).Msg("the files for HTTPS to backends are not watched any more")
			}
		})
	}
	watches.Wait()
}
