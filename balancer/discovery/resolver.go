package discovery

import (
	"context"
	"sync"
	"time"
)

// Options say whom to ask and how long to wait.
type Options struct {
	// Servers are asked in this order, each host:port. If there are none, those of
	// ResolvConf are, with its search list, ndots, timeout and attempts.
	Servers []string
	// Refresh is the longest time between two rounds; shorter TTLs count. 0 is 30 s,
	// and 1 s is the least.
	Refresh time.Duration
	// Timeout is how long one server may take for one question; 0 is 2 s. A shorter
	// one in ResolvConf counts.
	Timeout time.Duration
	// ResolvConf is the path of a resolv.conf(5), read anew in each round; "" is
	// /etc/resolv.conf.
	ResolvConf string
}

// Resolver makes watches. It may be used concurrently.
type Resolver struct {
	options Options
	port    string // where the servers of resolv.conf listen; only tests change it

	mu   sync.Mutex
	last settings // of the last resolv.conf that could be read
}

// NewResolver returns a resolver. It asks nobody anything yet.
func NewResolver(o Options) *Resolver {
	if o.Refresh <= 0 {
		o.Refresh = 30 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	return &Resolver{options: o, port: "53"}
}

// Host watches the addresses of a host name. Each is a member, with this port
// and weight 1.
func (r *Resolver) Host(name string, port int) *Watch {
	h := &host{name: name}
	return r.watch(func(ctx context.Context) round {
		found, err := h.ask(ctx, r.settings())
		if err != nil {
			return round{err: err}
		}
		return round{members: h.members(port), ttl: found.ttl, partial: found.partial}
	})
}

// Service watches the SRV records of a name such as _http._tcp.be.example. Each
// address of each target is a member.
func (r *Resolver) Service(name string) *Watch {
	s := &service{name: name}
	return r.watch(func(ctx context.Context) round { return s.ask(ctx, r.settings()) })
}

func (r *Resolver) watch(ask func(context.Context) round) *Watch {
	return &Watch{ask: ask, refresh: max(r.options.Refresh, shortestPause)}
}
