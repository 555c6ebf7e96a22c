package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Question is what explain is asked: what becomes of a request, and why.
type Question struct {
	Listener     string     `json:"listener"` // "" is the one that scheme, host and port of the URL lead to
	SNI          string     `json:"sni"`      // the name in the TLS handshake; "" is the URL's host
	From         netip.Addr `json:"from"`
	ForwardedFor []string   `json:"forwarded_for"` // values of X-Forwarded-For, field by field
	Method       string     `json:"method"`
	URL          string     `json:"url"`    // whole, or a path on the listener's first host
	Origin       string     `json:"origin"` // of the page that asks; "" for none
	// Running is what a gate that runs with these settings knows of its backends, where
	// it is not that gate which is asked; nil when there is none.
	Running []pool.State `json:"-"`
}

// split cuts the URL into scheme, authority and target, without decoding. A path has
// only a target.
func (q *Question) split() (scheme, authority, target string) {
	for _, scheme := range []string{"https", "http"} {
		rest, ok := strings.CutPrefix(q.URL, scheme+"://")
		if !ok {
			continue
		}
		if i := strings.IndexAny(rest, "/?#"); i >= 0 && rest[i] == '/' {
			return scheme, rest[:i], rest[i:]
		}
		return scheme, rest, "/"
	}
	return "", "", q.URL
}

// arrive finds the listener that the connection comes to. An error without a reason says
// that the question does not tell.
func (e *explainer) arrive() error {
	e.scheme, e.authority, e.target = e.q.split()
	if e.q.SNI != "" && e.scheme == "http" {
		return fmt.Errorf("a TLS name (%s) and %s: wanted a URL with https", e.q.SNI, e.q.URL)
	}
	name, port, _ := wire.SplitHost([]byte(e.authority))
	e.local, _ = netip.ParseAddr(strings.Trim(string(name), "[]"))
	if e.q.Listener == "" {
		return e.find(string(name), string(port))
	}
	if e.q.SNI != "" {
		return fmt.Errorf("a listener (%s) and a TLS name (%s): wanted one of them, as the name chooses the listener", e.q.Listener, e.q.SNI)
	}
	e.address, e.listener = e.snap.named(e.q.Listener)
	if e.listener == nil {
		return fmt.Errorf("no listener is named %q: there are %s", e.q.Listener, strings.Join(e.snap.names(), ", "))
	}
	if e.authority == "" {
		e.authority = e.listener.anyHost()
	}
	return nil
}

// find looks for the listener by what the URL says.
func (e *explainer) find(host, port string) error {
	if !wire.ValidHost([]byte(e.authority)) {
		return fmt.Errorf("URL %q: wanted one like https://track.example.com/track, or the name of the listener besides", e.q.URL)
	}
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[e.scheme]
	}
	candidates := e.snap.onPort(port, e.scheme == "https")
	if len(candidates) == 0 {
		return fmt.Errorf("no listener takes %s on port %s: wanted another port, or the name of the listener besides (%s)",
			e.scheme, port, strings.Join(e.snap.names(), ", "))
	}
	return e.choose(candidates, host)
}

// choose takes the address where the name belongs to a listener.
func (e *explainer) choose(candidates []*address, host string) error {
	name := host
	if e.q.SNI != "" {
		name = e.q.SNI
	} else if e.local.IsValid() && e.scheme == "https" {
		name = "" // no TLS name is sent for an IP address (RFC 6066 section 3)
	}
	var names []string
	for _, a := range candidates {
		if l, ok := a.find(strings.Trim(name, "[]"), e.local); ok {
			e.address, e.listener = a, l
			names = append(names, l.name)
		}
	}
	switch {
	case len(names) > 1:
		return fmt.Errorf("listeners %s have this host and port on different addresses: wanted the name of one of them", strings.Join(names, " and "))
	case len(names) == 1:
		e.note("accept", "%s leads to listener %s", nameSent(name, e.scheme), names[0])
		return nil
	case e.scheme == "https":
		return &wire.Error{Reason: reason.WrongHost, What: "no listener there has this name, so the TLS handshake fails and no status is sent"}
	}
	return refused(reason.WrongHost)
}

// nameSent says what chooses the listener.
func nameSent(name, scheme string) string {
	switch {
	case scheme == "http":
		return "host " + name
	case name == "":
		return "a handshake without a TLS name"
	}
	return "TLS name " + name
}

// onPort returns the addresses with a port, with TLS or without.
func (snap *snapshot) onPort(port string, secured bool) []*address {
	return slices.DeleteFunc(slices.Clone(snap.addresses), func(a *address) bool {
		_, its, _ := net.SplitHostPort(a.name)
		return its != port || a.secured != secured
	})
}

// anyHost is a name that the listener answers to.
func (l *listener) anyHost() string {
	if len(l.hosts) == 0 {
		return "localhost"
	}
	host := strings.Replace(l.hosts[0], "*", "any", 1)
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// named finds a listener by its name.
func (snap *snapshot) named(name string) (*address, *listener) {
	for _, a := range snap.addresses {
		if l := a.named(name); l != nil {
			return a, l
		}
	}
	return nil, nil
}

func (snap *snapshot) names() (names []string) {
	for _, a := range snap.addresses {
		for _, l := range a.listeners {
			names = append(names, l.name)
		}
	}
	return names
}
