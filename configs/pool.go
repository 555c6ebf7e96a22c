package configs

import (
	"strings"
	"time"
)

const (
	maxWeight   = 1000
	maxPathSize = 1024
	shortest    = time.Millisecond
)

func (c compiler) pools(drafts []draftPool) []Pool {
	pools := make([]Pool, len(drafts))
	names := make([]string, len(drafts))
	for i, d := range drafts {
		names[i] = d.Name
		pools[i] = c.pool(index("pools", i), d)
	}
	c.names("pools", names)
	return pools
}

func (c compiler) pool(key string, d draftPool) Pool {
	if d.Policy == LeastBusy || d.Policy == TwoChoices {
		c.wrong(key+".policy", "round_robin ("+string(d.Policy)+later+")", "")
	}
	oneOf(c, key+".policy", d.Policy, RoundRobin)
	for name, value := range map[string]string{"ca": d.TLS.CA, "server_name": d.TLS.ServerName} {
		if value != "" {
			c.wrong(key+".tls."+name, "nothing (HTTPS to backends"+later+")", "")
		}
	}
	between(c, key+".max_connections", d.MaxConnections, 0, 1_000_000)
	between(c, key+".timeouts.connect", d.Timeouts.Connect, shortest, time.Minute)
	between(c, key+".timeouts.response", d.Timeouts.Response, shortest, time.Hour)
	between(c, key+".timeouts.idle", d.Timeouts.Idle, shortest, 10*time.Minute)
	defaults := defaultPool()
	return Pool{
		Name:           d.Name,
		Backends:       c.backends(key+".backends", d.Backends),
		Policy:         d.Policy,
		Health:         c.health(key+".health", d.Health),
		Timeouts:       d.Timeouts,
		MaxConnections: d.MaxConnections,
		TLS:            d.TLS,
		SlowStart:      defaults.SlowStart,
		Queue:          defaults.Queue,
		Retry:          defaults.Retry,
		DNS:            defaults.DNS,
	}
}

func (c compiler) health(key string, h Health) Health {
	if h.Status == nil && !c.has(key+".status") {
		h.Status = defaultPool().Health.Status
	}
	if !validProbe(h.Path) {
		c.wrong(key+".path", "a path that begins with /, of plain ASCII", likelyProbe(h.Path))
	}
	if _, _, ok := parseAuthority(h.Host); !ok && h.Host != "" {
		c.wrong(key+".host", "a host name with or without a port, or nothing for the backend's own", "")
	}
	if len(h.Status) == 0 {
		c.wrong(key+".status", "at least one status", "")
	}
	for i, status := range h.Status {
		between(c, index(key+".status", i), status, 200, 599)
	}
	unique(c, key+".status", h.Status)
	if h.Interval != 0 && (h.Interval < 10*time.Millisecond || h.Interval > time.Hour) {
		c.wrong(key+".interval", "from 10ms to 1h, or 0 for no active checks", "")
	}
	between(c, key+".timeout", h.Timeout, shortest, time.Minute)
	between(c, key+".rise", h.Rise, 1, 100)
	between(c, key+".fall", h.Fall, 1, 100)
	return h
}

// validProbe says whether a target can be sent as it is: origin-form, visible
// characters, no fragment (RFC 9112 section 3.2.1).
func validProbe(target string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '\\' }
	return strings.HasPrefix(target, "/") && len(target) <= maxPathSize && !strings.ContainsFunc(target, odd)
}

func likelyProbe(target string) string {
	if likely := "/" + target; target != "" && !strings.Contains(target, "://") && validProbe(likely) {
		return likely
	}
	return ""
}
