package configs

import "time"

// shortest is the least that a time can be where 0 would mean never.
const shortest = time.Millisecond

// Pool is a named set of interchangeable backends.
type Pool struct {
	Name           string
	Backends       []Backend
	DNS            Lookup
	TLS            BackendTLS
	Policy         Policy
	SlowStart      time.Duration // how long a backend that came back, or was just found, gets less; 0: none
	MaxConnections int           // per backend; 0 is no limit
	Queue          Queue
	Retry          Retry
	Health         Health
	Timeouts       BackendTimeouts
}

// Policy says whose turn it is in a pool.
type Policy string

// The policies.
const (
	RoundRobin Policy = "round_robin"
	LeastBusy  Policy = "least_busy"
	TwoChoices Policy = "two_choices"
)

// BackendTimeouts bound one attempt.
type BackendTimeouts struct {
	Connect  time.Duration // with the TLS handshake
	Response time.Duration // to the head of the answer, and between two reads of its body
	Idle     time.Duration // how long an unused connection is kept
}

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
	oneOf(c, key+".policy", d.Policy, RoundRobin, LeastBusy, TwoChoices)
	between(c, key+".slow_start", d.SlowStart, 0, 10*time.Minute)
	between(c, key+".max_connections", d.MaxConnections, 0, maxConnections)
	between(c, key+".timeouts.connect", d.Timeouts.Connect, shortest, time.Minute)
	between(c, key+".timeouts.response", d.Timeouts.Response, shortest, time.Hour)
	between(c, key+".timeouts.idle", d.Timeouts.Idle, shortest, 10*time.Minute)
	backends := c.backends(key+".backends", d.Backends)
	return Pool{
		Name:           d.Name,
		Backends:       backends,
		DNS:            c.lookup(key+".dns", d.DNS),
		TLS:            c.backendTLS(key, d.TLS, backends),
		Policy:         d.Policy,
		SlowStart:      d.SlowStart,
		MaxConnections: d.MaxConnections,
		Queue:          c.queue(key+".queue", d.Queue, d.Health.Interval),
		Retry:          c.retry(key+".retry", d.Retry),
		Health:         c.health(key+".health", d.Health),
		Timeouts:       d.Timeouts,
	}
}
