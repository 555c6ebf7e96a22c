package proxy

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/access"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/route"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
	"github.com/trackgate/trackgate/proxy/wire/h2"
)

// snapshot is one compiled configuration. It never changes; what counts and
// what is up or down lives in the parts it points to.
type snapshot struct {
	addresses []*address
	pools     map[string]*pool.Pool
	secure    *secure
	timeouts  configs.Timeouts
	limits    configs.Limits
	traced    bool      // there is a collector of traces
	before    *snapshot // what it is to take the place of; nil for the first one, and once it has
}

// address is where connections are accepted: one or more listeners.
type address struct {
	name      string // host:port
	listeners []*listener
	hosts     *configs.Hosts
	senders   access.Ranges // of PROXY headers
	proxied   bool
	tls       *tls.Config // nil for plain HTTP
	secured   bool        // by TLS, also where nothing is served and tls is nil
}

// listener is one entry of listeners, compiled.
type listener struct {
	name      string
	settings  configs.Listener // what it was made of, for operators
	station   *station
	kind      configs.Kind
	hosts     []string
	routes    *route.Table // nil for kind redirect
	clients   access.Ranges
	drop      bool // clients outside of the ranges get no answer
	forwarded access.Forwarded
	trusted   access.Ranges
	cors      *cors
	pool      *pool.Pool
	config    h1.Config
	h2        h2.Config
	metrics   *metrics.Listener
	hsts      []byte // value of the field; nil for none
	clientIP  string // a further field that carries the client's address, lower case
	hide      bool   // the text of a backend's 500
	scheme    []byte // "https" or "http", as clients reach the listener

	challenged bool // authorities may look here whether a host is under our control
}

// public reports whether anybody may come to the listener.
func (l *listener) public() bool { return l.kind == configs.Public }

// compile makes a snapshot of settings, which takes over from before, nil for none, what
// stays as it is. Certify may be nil when nothing will be served.
func compile(s *configs.Settings, parts Parts, before *snapshot) (*snapshot, error) {
	snap := &snapshot{
		pools: map[string]*pool.Pool{}, secure: newSecure(s.Listeners), timeouts: s.Timeouts, limits: s.Limits, traced: s.Traces.Collector != "", before: before,
	}
	for _, p := range s.Pools {
		snap.pools[p.Name] = snap.compilePool(p, parts)
	}
	groups := map[string]int{}
	var entries [][]configs.Listener
	for _, l := range s.Listeners {
		i, ok := groups[l.Address]
		if !ok {
			i = len(entries)
			groups[l.Address], entries = i, append(entries, nil)
		}
		entries[i] = append(entries[i], l)
	}
	for _, group := range entries {
		a, err := snap.compileAddress(group, s, parts.Metrics)
		if err != nil {
			return nil, err
		}
		if group[0].TLS && parts.Certify != nil {
			a.tls = parts.Certify(group)
		}
		snap.addresses = append(snap.addresses, a)
	}
	return snap, nil
}

func (snap *snapshot) compilePool(s configs.Pool, parts Parts) *pool.Pool {
	if snap.before != nil {
		if old := snap.before.pools[s.Name]; old != nil && old.CanBecome(s) {
			return old
		}
	}
	given := pool.Parts{Log: parts.Log, Metrics: parts.Metrics, Places: parts.places}
	if parts.Outbound != nil {
		given.TLS = parts.Outbound(s)
	}
	return pool.New(s, given)
}

// compileAddress compiles the listeners that share an address.
func (snap *snapshot) compileAddress(group []configs.Listener, s *configs.Settings, set *metrics.Set) (*address, error) {
	a := &address{
		name:    group[0].Address,
		hosts:   configs.NewHosts(group),
		senders: access.NewRanges(group[0].ProxyProtocol),
		proxied: len(group[0].ProxyProtocol) > 0,
		secured: group[0].TLS,
	}
	for _, entry := range group {
		l, err := snap.compileListener(entry, s, set)
		if err != nil {
			return nil, fmt.Errorf("listener %s: %w", entry.Name, err)
		}
		a.listeners = append(a.listeners, l)
	}
	return a, nil
}

func (snap *snapshot) compileListener(s configs.Listener, all *configs.Settings, set *metrics.Set) (*listener, error) {
	trusted := access.NewRanges(all.TrustedProxies)
	l := &listener{
		name: s.Name, settings: s, station: snap.stationOf(s, all), kind: s.Kind, hosts: s.Hosts, metrics: set.Listener(s.Name),
		clients: access.NewRanges(s.Clients), drop: s.Deny == configs.DenyDrop,
		trusted: trusted, forwarded: access.NewForwarded(trusted),
		pool: snap.pools[s.Pool], cors: newCORS(s.CORS), hide: s.HideErrors,
		h2:       http2Config(s, all.Timeouts),
		clientIP: s.ClientIPHeader, scheme: []byte("http"), config: engineConfig(s.Limits, all.Timeouts),
		challenged: s.AnswersChallenges(),
	}
	if s.TLS {
		l.scheme = []byte("https")
	}
	if s.HSTS > 0 {
		l.hsts = strconv.AppendInt([]byte("max-age="), int64(s.HSTS/time.Second), 10)
	}
	var err error
	l.routes, err = compileRoutes(s)
	return l, err
}

// stationOf returns the one that connections of before have, if they may keep it.
func (snap *snapshot) stationOf(s configs.Listener, all *configs.Settings) *station {
	terms := termsOf(s, all)
	if snap.before != nil {
		if l := snap.before.listener(s.Address, s.Name); l != nil && l.station.terms == terms {
			return l.station
		}
	}
	return &station{terms: terms}
}

// at returns what is accepted at an address of the settings, nil for nothing.
func (snap *snapshot) at(name string) *address {
	for _, a := range snap.addresses {
		if a.name == name {
			return a
		}
	}
	return nil
}

// listener returns the one of that name at an address of the settings, nil for none.
func (snap *snapshot) listener(address, name string) *listener {
	if a := snap.at(address); a != nil {
		return a.named(name)
	}
	return nil
}

// named returns the listener of that name, nil for none.
func (a *address) named(name string) *listener {
	for _, l := range a.listeners {
		if l.name == name {
			return l
		}
	}
	return nil
}

// compileRoutes returns what a listener exposes.
func compileRoutes(s configs.Listener) (*route.Table, error) {
	options := route.Options{BasePath: s.BasePath, Preflights: s.Kind == configs.Public && !s.CORS.Off}
	switch s.Kind {
	case configs.GUI:
		return route.Open(options)
	case configs.Redirect:
		return nil, nil
	}
	var rules []route.Rule
	for _, entry := range s.Allow {
		for _, e := range entry.Expand() {
			rules = append(rules, route.Rule{Methods: exposed(e.Methods, s.CORS), Path: e.Path})
		}
	}
	return route.Public(rules, options)
}

// exposed returns the methods of a route. Without CORS at the edge, the backends
// answer preflights, so they must reach them.
func exposed(methods []string, cors configs.CORS) []string {
	if cors.Off {
		return append(slices.Clone(methods), "OPTIONS")
	}
	return methods
}

// bodyGrace is how long a body may come at any rate before its rate counts.
const bodyGrace = 10 * time.Second

func engineConfig(l configs.Limits, t configs.Timeouts) h1.Config {
	return h1.Config{
		Limits: wire.Limits{Head: int(l.Head), Target: int(l.Target), Fields: l.Fields, Body: int64(l.Body)},
		Head:   t.Head, Body: t.Body, Write: t.Write, Grace: bodyGrace, Rate: int64(l.BodyRate),
	}
}

// http2Config is what the engine for HTTP/2 is given. Only where all targets are open
// can one of them be a websocket's.
func http2Config(s configs.Listener, t configs.Timeouts) h2.Config {
	one := engineConfig(s.Limits, t)
	return h2.Config{
		Limits: one.Limits, Head: one.Head, Body: one.Body, Write: one.Write, Grace: one.Grace, Rate: one.Rate,
		Streams: s.Limits.Streams, Total: s.Limits.StreamsPerConnection, Connect: s.Kind == configs.GUI,
	}
}

// find returns the listener that answers to a name on the local address.
func (a *address) find(name string, local netip.Addr) (*listener, bool) {
	i, ok := a.hosts.Find(name, local)
	if !ok {
		return nil, false
	}
	return a.listeners[i], true
}
