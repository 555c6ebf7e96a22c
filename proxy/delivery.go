package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/wire"
)

// deliver tells of what is between a route and an answer.
func (e *explainer) deliver() error {
	l := &e.listener.settings.Limits
	e.note("body", "limits: body %s, body_rate %s", l.Body, l.BodyRate)
	e.stage = "pick"
	e.found.Pool = e.listener.pool.Name()
	if err := e.pick(); err != nil {
		return err
	}
	e.attempt()
	return nil
}

// pick names the backends whose turn it may be, and how they are.
func (e *explainer) pick() error {
	settings := e.listener.pool.Settings()
	e.note("pick", "pool %s, %s", settings.Name, settings.Policy)
	if e.live {
		return e.next()
	}
	states := e.running(settings.Name)
	if len(states) == 0 {
		for _, b := range settings.Backends {
			e.note("pick", "%s (weight %d)", b.URL(), b.Weight)
		}
		e.note("pick", "no gate runs with these settings, so that nobody knows who is up")
		return nil
	}
	for _, state := range states {
		e.note("pick", "%s", &state)
	}
	if !slices.ContainsFunc(states, func(s pool.State) bool { return s.TakesWork() }) {
		e.note("pick", "nobody takes work now: the answer would be 503 no_backend%s", after(settings.Queue.Wait))
	}
	return nil
}

// next tells whose turn it is, and why it is not that of the others. A request that may
// wait is not refused.
func (e *explainer) next() error {
	p := e.listener.pool
	chosen, err := p.Next()
	for _, state := range p.States() {
		if err == nil && state.Backend == chosen {
			e.note("pick", "%s: it is next", &state)
			continue
		}
		e.note("pick", "%s: passed over, %s", &state, state.PassedOver())
	}
	e.found.Backend = chosen
	queue, wait, kind := p.Settings().Queue, time.Duration(0), reason.NoBackend
	switch err {
	case nil:
		return nil
	case balancer.ErrFull:
		wait, kind = max(queue.Busy, queue.Wait), reason.QueueFull
	default:
		wait = queue.Wait
	}
	if waiting := p.Waiting(); wait > 0 && waiting < queue.Size {
		e.note("pick", "it would wait, behind %d others, for up to %s; then %d %s", waiting, wait, kind.Status(), kind)
		return nil
	}
	return refused(kind)
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

// exchange is the request as the steps have it, with a client that hears nothing.
func (e *explainer) exchange() (*exchange, *recorder) {
	r := &recorder{}
	x := &exchange{
		conn: &conn{client: e.q.From, clientText: []byte(e.q.From.String())}, listener: e.listener,
		stream: r, req: &e.req, client: e.client, match: e.match,
	}
	x.origin, _ = e.req.Fields.Get(wire.Origin)
	return x, r
}

// recorder is a client that only takes down which fields it would get.
type recorder struct {
	wire.Stream
	fields []string
}

// Field takes one down.
func (r *recorder) Field(name string, value []byte) {
	r.fields = append(r.fields, name+": "+string(value))
}

// attempt tells what the backend gets beside, and instead of, what the client sends.
func (e *explainer) attempt() {
	x, _ := e.exchange()
	set := strings.Split(strings.TrimSpace(string(x.appendForwarded(nil))), "\r\n")
	for i, field := range set {
		if strings.HasPrefix(field, "x-request-id: ") {
			set[i] = "x-request-id: one of its own"
		}
	}
	if e.snap.traced {
		set = append(set, "traceparent: a span of the gate's own where the request is traced")
	}
	e.note("attempt", "set: %s; x-real-ip as well where the client sends one", strings.Join(set, ", "))
	e.note("attempt", "dropped: %s, and others of their kind", strings.Join(fieldsThat(x.withheld), ", "))
}

// respond tells what the client gets beside what was answered. add is what adds it.
func (e *explainer) respond(add func(*exchange)) {
	x, r := e.exchange()
	add(x)
	if len(r.fields) > 0 {
		e.note("respond", "set: %s", strings.Join(r.fields, ", "))
	}
	if gone := fieldsThat(x.keptBack); e.found.Pool != "" && len(gone) > 0 {
		e.note("respond", "dropped: %s", strings.Join(gone, ", "))
	}
}

// fieldsThat returns the names of fields that are kept from somebody. Those of a
// connection and of framing are so anyway.
func fieldsThat(kept func(*wire.Field) bool) (names []string) {
	for _, name := range append(wire.Names(), "access-control-allow-origin") {
		f := &wire.Field{ID: wire.Lookup([]byte(name)), Name: []byte(name)}
		switch f.ID {
		case wire.Host, wire.ContentLength, wire.Expect:
			continue
		}
		if !f.ID.HopByHop() && kept(f) {
			names = append(names, strings.Replace(name, "-allow-origin", "-*", 1))
		}
	}
	return names
}
