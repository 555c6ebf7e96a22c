package pool

import (
	"crypto/tls"
	"sync"
)

// named returns a source of configurations for probes of a backend whose
// certificate must have that name, where the settings name none for all. They stay
// the same for as long as what they are made of does.
func (p *Pool) named(name string) func() *tls.Config {
	var mu sync.Mutex
	var given, made *tls.Config
	return func() *tls.Config {
		now := p.parts.TLS()
		if now.ServerName != "" {
			return now
		}
		mu.Lock()
		defer mu.Unlock()
		if now != given {
			given, made = now, now.Clone()
			made.ServerName = name
		}
		return made
	}
}
