package pool

import (
	"crypto/tls"
	"sync/atomic"
)

// named returns a source of configurations for probes of a backend whose
// certificate must have that name, where the settings name none for all.
func (p *Pool) named(name string) func() *tls.Config {
	var last atomic.Pointer[[2]*tls.Config] // what was given, and what was made of it
	return func() *tls.Config {
		given := p.parts.TLS()
		if given.ServerName != "" {
			return given
		}
		if pair := last.Load(); pair != nil && pair[0] == given {
			return pair[1]
		}
		config := given.Clone()
		config.ServerName = name
		last.Store(&[2]*tls.Config{given, config})
		return config
	}
}
