package proxy

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/access"
	"github.com/trackgate/trackgate/proxy/route"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// Explain goes the way of a request through settings, without sending
// anything. It uses the same tables as a running gate. The error says that the
// question could not be understood.
func Explain(settings *configs.Settings, q Question) (*Verdict, error) {
	snap, err := compile(settings, Parts{Metrics: metrics.New(metrics.Build{}), Log: zerolog.Nop()}, nil)
	if err != nil {
		return nil, err
	}
	e := &explainer{snap: snap, q: q}
	return e.verdict(e.walk())
}

// Explain is the function of that name for what the gate works with now. Of one that
// serves it also tells whose turn it is. It sends, claims and counts nothing.
func (g *Gate) Explain(q Question) (*Verdict, error) {
	e := &explainer{snap: g.current.Load(), q: q, live: g.serving.Load()}
	if err := g.Ready(); err == ErrDraining {
		e.note("accept", "the gate says that it leaves, or takes nothing new already")
	}
	return e.verdict(e.walk())
}

// explainer walks the steps and writes down what it sees.
type explainer struct {
	snap *snapshot
	q    Question
	live bool // the snapshot's gate serves

	scheme, authority, target string
	local                     netip.Addr // that the client connects to, if the URL has one

	stage    string
	address  *address
	listener *listener
	req      wire.Request
	client   netip.Addr
	match    route.Decision
	found    Verdict
}

// walk is the way of a request, as steps in handler.go has it.
func (e *explainer) walk() error {
	for _, step := range []struct {
		name string
		take func() error
	}{{"accept", e.accept}, {"read", e.read}, {"admit", e.admit}, {"match", e.route}} {
		e.stage = step.name
		if err := step.take(); err != nil {
			return err
		}
	}
	if e.listener.routes == nil {
		return nil
	}
	if !e.match.Preflight {
		if err := e.deliver(); err != nil {
			return err
		}
	}
	e.respond((*exchange).edgeFields)
	return nil
}

// accept finds the listener and tells what connections there keep to.
func (e *explainer) accept() error {
	if err := e.arrive(); err != nil {
		return err
	}
	s, limits := &e.listener.settings, &e.snap.limits
	e.note("accept", "%s listener %s on %s", e.listener.kind, e.listener.name, e.address.name)
	if e.address.proxied {
		e.note("accept", "the connection has to come from proxy_protocol (%s) and name %s", joined(s.ProxyProtocol), e.q.From)
	}
	e.note("accept", "limits: connections %d, connections_per_client %d, handshakes_per_client %d",
		limits.Connections, limits.ConnectionsPerClient, limits.HandshakesPerClient)
	if !e.address.admits(e.q.From) {
		return refused(reason.ClientNotAllowed)
	}
	if c := s.ClientCertificates; c.CA != "" {
		e.note("accept", "a certificate of the client, signed by %s, is %s", c.CA, c.Mode)
	}
	return nil
}

// read parses the request as the engine would.
func (e *explainer) read() error {
	head := e.head()
	var scanner h1.Scanner
	if n, err := scanner.Scan(head, e.listener.config.Limits); err != nil || n != len(head) {
		return malformedQuestion(err)
	}
	if err := h1.ParseRequest(head, &e.req, e.listener.config.Limits); err != nil {
		return err
	}
	e.note("read", "%s %s for host %s", e.req.Method, e.req.Target, e.authority)
	l := &e.listener.settings.Limits
	e.note("read", "limits: head %s, target %s, fields %d", l.Head, l.Target, l.Fields)
	if e.listener.mayChallenge(&e.req) {
		e.note("challenge", "answered here, from anywhere, while an authority waits for it; otherwise it is a request as any")
	}
	return nil
}

// head is the request as it would be sent.
func (e *explainer) head() []byte {
	lines := []string{e.q.Method + " " + e.target + " HTTP/1.1", "Host: " + e.authority}
	for _, value := range e.q.ForwardedFor {
		lines = append(lines, "X-Forwarded-For: "+value)
	}
	if e.q.Origin != "" {
		lines = append(lines, "Origin: "+e.q.Origin)
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

func malformedQuestion(err error) error {
	if err == nil {
		return refused(reason.Malformed)
	}
	return err
}

// admit holds host and client against the listener.
func (e *explainer) admit() error {
	l := e.address.serving(e.listener, e.req.Authority, e.local)
	if l == nil {
		return refused(reason.WrongHost)
	}
	e.listener = l
	e.note("admit", "host %s belongs to listener %s", hostOf(e.req.Authority), l.name)
	e.client = l.trueClient(e.q.From, &e.req.Fields, nil)
	e.found.Client = e.client.String()
	e.believe()
	if l.kind != configs.GUI {
		e.note("admit", "anybody may come to a %s listener, also %s", l.kind, e.client)
		return nil
	}
	if !l.clients.Contains(e.client) {
		return refused(reason.ClientNotAllowed)
	}
	e.note("admit", "%s is in the clients of listener %s (%s)", e.client, l.name, holder(l.settings.Clients, e.client))
	return nil
}

// hostOf is the host of an authority as listeners are asked for it.
func hostOf(authority []byte) string {
	name, _, _ := wire.SplitHost(authority)
	return strings.Trim(strings.ToLower(string(name)), "[]")
}

// believe tells how the client's address was found.
func (e *explainer) believe() {
	said := strings.Join(e.q.ForwardedFor, ", ")
	switch trusted := e.listener.trusted; {
	case !trusted.Contains(e.q.From) && said != "":
		e.note("admit", "X-Forwarded-For (%s) is not believed: %s is not in trusted_proxies", said, e.q.From)
	case !trusted.Contains(e.q.From):
	case said == "":
		e.note("admit", "%s is a trusted proxy: the client is whom it names in X-Forwarded-For", e.q.From)
	case trusted.Contains(e.client):
		e.note("admit", "%s is a trusted proxy: of X-Forwarded-For (%s) the client is %s, as nobody who is no proxy can be read with certainty", e.q.From, said, e.client)
	default:
		e.note("admit", "%s is a trusted proxy: of X-Forwarded-For (%s) the client is %s, the last that is not in trusted_proxies", e.q.From, said, e.client)
	}
}

// holder returns the range that an address is in.
func holder(ranges []netip.Prefix, addr netip.Addr) netip.Prefix {
	for _, r := range ranges {
		if access.NewRanges([]netip.Prefix{r}).Contains(addr) {
			return r
		}
	}
	return netip.Prefix{}
}

// route asks the routes, and then what cors says.
func (e *explainer) route() error {
	l := e.listener
	if l.routes == nil {
		return e.redirect()
	}
	e.match = l.routes.Match(e.req.Method, e.req.Target)
	if e.match.Allow != "" {
		e.note("match", "the path can be asked with %s", e.match.Allow)
	}
	if e.match.Reason != reason.OK {
		return refused(e.match.Reason)
	}
	if e.found.Route = l.entry(&e.req); e.found.Route != "" {
		e.note("match", "let through by %s", e.found.Route)
	}
	if origin, ok := e.req.Fields.Get(wire.Origin); ok && !l.cors.allows(origin) {
		return refused(reason.OriginNotAllowed)
	}
	if e.match.Preflight {
		e.decide("answered here: preflight")
		return nil
	}
	e.decide("asked of a backend as %s%s", e.match.Path, e.match.Query)
	return nil
}

func (e *explainer) redirect() error {
	location, err := e.snap.secure.location(&e.req)
	if err != nil {
		return err
	}
	e.decide("answered here: redirect to %s", location)
	return nil
}

// joined lists ranges.
func joined(ranges []netip.Prefix) string {
	texts := make([]string, len(ranges))
	for i, r := range ranges {
		texts[i] = r.String()
	}
	return strings.Join(slices.Compact(texts), ", ")
}
