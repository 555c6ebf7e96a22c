package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// Question is what explain is asked: what becomes of a request, and why.
type Question struct {
	Listener string
	From     netip.Addr
	Method   string
	URL      string // whole, or a path on the listener's first host
	Origin   string // of the page that asks; "" for none
	// Running is what a gate that runs with these settings knows of its backends;
	// nil when there is none to ask.
	Running []pool.State
}

// Step is one step of the decision, in the order of a request's life.
type Step struct {
	Step   string `json:"step"`
	Result string `json:"result"`
}

// Verdict is the whole decision.
type Verdict struct {
	Allowed bool   `json:"allowed"`
	Status  int    `json:"status,omitempty"` // of a refusal
	Reason  string `json:"reason"`
	Steps   []Step `json:"steps"`
}

// Explain goes the way of a request through settings, without sending
// anything. It uses the same tables as a running gate. The error says that the
// question could not be understood.
func Explain(settings *configs.Settings, q Question) (*Verdict, error) {
	snap, err := compile(settings, Parts{Metrics: metrics.New(metrics.Build{}), Log: zerolog.Nop()}, nil)
	if err != nil {
		return nil, err
	}
	a, l := snap.named(q.Listener)
	if l == nil {
		return nil, fmt.Errorf("no listener is named %q: there are %s", q.Listener, strings.Join(snap.names(), ", "))
	}
	e := &explainer{snap: snap, address: a, listener: l, q: q}
	return e.verdict(e.walk())
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

// explainer walks the steps and writes down what it sees.
type explainer struct {
	snap     *snapshot
	address  *address
	listener *listener
	q        Question
	req      wire.Request
	steps    []Step
}

func (e *explainer) note(step, format string, args ...any) {
	e.steps = append(e.steps, Step{step, fmt.Sprintf(format, args...)})
}

// verdict makes a Verdict of the error that ended the walk. One without a
// reason is the question's fault.
func (e *explainer) verdict(err error) (*Verdict, error) {
	v := &Verdict{Allowed: err == nil, Reason: reason.OK.String(), Steps: e.steps}
	var refusal *wire.Error
	switch {
	case errors.As(err, &refusal):
		v.Status, v.Reason = refusal.Reason.Status(), refusal.Reason.String()
		v.Steps = append(v.Steps, Step{"refuse", fmt.Sprintf("%d %s: %s", v.Status, v.Reason, refusal.What)})
	case err != nil:
		return nil, err
	}
	return v, nil
}

// walk is the way of a request, as steps in handler.go has it.
func (e *explainer) walk() error {
	e.note("accept", "%s listener %s on %s", e.listener.kind, e.listener.name, e.address.name)
	if err := e.read(); err != nil {
		return err
	}
	if err := e.admit(); err != nil {
		return err
	}
	return e.match()
}

// read parses the request as the engine would.
func (e *explainer) read() error {
	authority, target := e.split()
	head := e.q.Method + " " + target + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n"
	var scanner h1.Scanner
	if n, err := scanner.Scan([]byte(head), e.listener.config.Limits); err != nil || n != len(head) {
		return malformedQuestion(err)
	}
	if err := h1.ParseRequest([]byte(head), &e.req, e.listener.config.Limits); err != nil {
		return err
	}
	e.note("read", "%s %s for host %s", e.req.Method, e.req.Target, authority)
	return nil
}

func malformedQuestion(err error) error {
	if err == nil {
		return refused(reason.Malformed)
	}
	return err
}

// split cuts the question's URL into authority and target, without decoding.
func (e *explainer) split() (authority, target string) {
	rest, ok := strings.CutPrefix(e.q.URL, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(e.q.URL, "http://")
	}
	if !ok {
		return e.host(), e.q.URL
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 && rest[i] == '/' {
		return rest[:i], rest[i:]
	}
	return rest, "/"
}

// host is a name that the listener answers to.
func (e *explainer) host() string {
	if len(e.listener.hosts) == 0 {
		return "localhost"
	}
	return strings.Replace(e.listener.hosts[0], "*", "any", 1)
}

// admit holds host and client against the listener.
func (e *explainer) admit() error {
	name, _, _ := wire.SplitHost(e.req.Authority)
	host := strings.Trim(strings.ToLower(string(name)), "[]")
	found, ok := e.address.find(host, netip.Addr{})
	if len(e.listener.hosts) > 0 && (!ok || found != e.listener) {
		return refused(reason.WrongHost)
	}
	e.note("admit", "host %s belongs to listener %s", host, e.listener.name)
	if e.listener.trusted.Contains(e.q.From) {
		e.note("admit", "%s is a trusted proxy: the client is whom it names in X-Forwarded-For", e.q.From)
	}
	if e.listener.kind != configs.GUI {
		e.note("admit", "anybody may come to a %s listener, also %s", e.listener.kind, e.q.From)
		return nil
	}
	if !e.listener.clients.Contains(e.q.From) {
		return refused(reason.ClientNotAllowed)
	}
	e.note("admit", "%s is in the clients of listener %s", e.q.From, e.listener.name)
	return nil
}

// match asks the routes.
func (e *explainer) match() error {
	if e.listener.routes == nil {
		if m := e.q.Method; m != "GET" && m != "HEAD" {
			return refused(reason.MethodNotExposed)
		}
		e.note("match", "answered here: redirect to https")
		return nil
	}
	d := e.listener.routes.Match(e.req.Method, e.req.Target)
	if d.Allow != "" {
		e.note("match", "the path can be asked with %s", d.Allow)
	}
	if d.Reason != reason.OK {
		return refused(d.Reason)
	}
	if e.q.Origin != "" && !e.listener.cors.allows([]byte(e.q.Origin)) {
		return refused(reason.OriginNotAllowed)
	}
	if d.Preflight {
		e.note("match", "answered here: preflight")
		return nil
	}
	e.note("match", "asked of a backend as %s%s", d.Path, d.Query)
	e.pick()
	return nil
}

// pick names the backends whose turn it may be, and how they are.
func (e *explainer) pick() {
	settings := e.listener.pool.Settings()
	e.note("pick", "pool %s, %s", settings.Name, settings.Policy)
	states := e.running(settings.Name)
	if len(states) == 0 {
		for _, b := range settings.Backends {
			e.note("pick", "%s (weight %d)", b.URL(), b.Weight)
		}
		e.note("pick", "no gate runs with these settings, so that nobody knows who is up")
		return
	}
	for _, state := range states {
		e.note("pick", "%s", &state)
	}
	if !slices.ContainsFunc(states, func(s pool.State) bool { return s.TakesWork() }) {
		e.note("pick", "nobody takes work now: the answer would be 503 no_backend%s", after(settings.Queue.Wait))
	}
}

// running is what a running gate knows of the backends of a pool.
func (e *explainer) running(name string) (states []pool.State) {
	for _, state := range e.q.Running {
		if state.Pool == name {
			states = append(states, state)
		}
	}
	return states
}

// after says how long a request waits before it is refused.
func after(wait time.Duration) string {
	if wait == 0 {
		return ""
	}
	return fmt.Sprintf(", after %s", wait)
}
