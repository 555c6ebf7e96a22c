package proxy

import (
	"context"
	"errors"
	"time"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/backend"
	"github.com/trackgate/trackgate/proxy/wire"
)

// serve takes one exchange from its head to its line in the log.
func (g *Gate) serve(x *exchange) {
	if err := g.steps(x); err != nil {
		g.refuse(x, err)
	}
	g.finish(x)
}

// steps is the way of a request; the first error ends it.
func (g *Gate) steps(x *exchange) error {
	if err := g.read(x); err != nil {
		return err
	}
	if done, err := g.challenge(x); done || err != nil {
		return err
	}
	if err := g.admit(x); err != nil {
		return err
	}
	if done, err := g.match(x); done || err != nil {
		return err
	}
	if err := g.body(x); err != nil {
		return err
	}
	return g.deliver(x)
}

// deliver gives the request to one backend after the other, until one answers.
func (g *Gate) deliver(x *exchange) error {
	for {
		if err := g.pick(x); err != nil {
			return err
		}
		err := g.attempt(x)
		if g.again(x, err) {
			continue
		}
		if err == nil {
			err = g.respond(x)
		}
		return err
	}
}

// read lets the engine read the head.
func (g *Gate) read(x *exchange) error {
	req, err := x.stream.ReadHead(x.start)
	x.req = req
	x.origin, _ = req.Fields.Get(wire.Origin)
	if err == nil {
		g.joinTrace(x)
	}
	return err
}

// admit checks that the request is for this listener and that this client may
// come here.
func (g *Gate) admit(x *exchange) error {
	if !x.conn.serves(x) {
		return refused(reason.WrongHost)
	}
	x.client = x.trueClient()
	if x.listener.kind == configs.GUI && !x.listener.clients.Contains(x.client) {
		return refused(reason.ClientNotAllowed)
	}
	return nil
}

// match finds the route. done says that the request was answered here.
func (g *Gate) match(x *exchange) (done bool, err error) {
	if x.listener.routes == nil {
		return g.redirect(x)
	}
	x.match = x.listener.routes.Match(x.req.Method, x.req.Target)
	if x.match.Reason != reason.OK {
		return false, refused(x.match.Reason)
	}
	if !x.listener.cors.allows(x.origin) {
		return false, refused(reason.OriginNotAllowed)
	}
	if x.match.Preflight {
		return true, g.preflight(x)
	}
	if x.req.Upgrade && x.listener.public() {
		x.req.Upgrade = false // a tunnel would leave the list of what is allowed
	}
	return false, nil
}

// body reads a body that fits the replay buffer, so that nothing slow reaches a
// backend and the request can be sent again.
func (g *Gate) body(x *exchange) (err error) {
	x.held, x.whole, err = x.stream.Hold(wire.MaxHold)
	return err
}

// pick claims a backend, none that was tried before if there is another.
func (g *Gate) pick(x *exchange) (err error) {
	x.to, err = x.listener.pool.Claim(x.retry.failed)
	switch err {
	case nil:
		x.claimed = true
		return nil
	case balancer.ErrFull:
		return refused(reason.QueueFull)
	case balancer.ErrStopped:
		return refused(reason.Draining)
	}
	return refused(reason.NoBackend)
}

// attempt sends the request to the picked backend and reads the head of its
// answer, and with it a short body: a backend that dies in the middle of it is
// still a failed attempt, of which the client has seen nothing. After an error the
// claim and the connection are given up.
func (g *Gate) attempt(x *exchange) error {
	x.attempts++
	x.asked = time.Now()
	x.retry.begin(x.asked)
	err := g.send(x)
	if err == nil {
		err = g.readAnswer(x)
	}
	if err == nil && !x.unwanted() {
		err = x.holdAnswer()
	}
	if err != nil {
		x.giveUp(err)
	}
	return err
}

// send writes the request to a connection, a kept one if there is one.
func (g *Gate) send(x *exchange) error {
	head, body := x.render()
	for {
		if err := g.connect(x); err != nil {
			return err
		}
		var err error
		if x.whole {
			err = x.bc.Exchange(head, body, x.asked)
		} else {
			err = g.startUpload(x, head)
		}
		if !errors.Is(err, backend.ErrStale) {
			return err
		}
		x.bc.Close() // nothing was written: the next one, without counting
		x.bc = nil
	}
}

// connect finds a kept connection to the picked backend or makes one. After one
// that raced nothing but a new one will do, and for a body that cannot be sent
// twice.
func (g *Gate) connect(x *exchange) (err error) {
	if x.whole && !x.retry.raced {
		x.bc = x.to.Conns.Kept(x.asked)
	}
	if x.bc == nil {
		x.bc, err = x.to.Conns.Dial(context.Background())
	}
	if err != nil {
		x.reused = false
		return err
	}
	x.reused = x.bc.Reused()
	x.lane.asking.Store(x.bc)
	if g.over.Load() {
		x.bc.Interrupt()
	}
	return nil
}

// readAnswer reads heads until the final one. What a backend says in between
// is passed on, except for 100, which the gate has answered itself.
func (g *Gate) readAnswer(x *exchange) error {
	for {
		res, err := x.readHead()
		if err != nil {
			return err
		}
		if !res.Informational() {
			x.res, x.code = res, res.Status
			return nil
		}
		if res.Status != 100 && x.upload == nil {
			res.Fields.DropHops()
			if err := x.stream.Inform(res.Status, &res.Fields); err != nil {
				return err
			}
		}
	}
}

// respond passes the backend's answer on.
func (g *Gate) respond(x *exchange) error {
	switch {
	case x.res.Status == 101:
		return g.tunnel(x)
	case x.res.Status == 500 && x.listener.hide:
		return g.hideError(x)
	}
	if err := x.holdAnswer(); err != nil {
		x.giveUp(err)
		return err
	}
	x.passHead()
	if !x.short {
		return g.stream(x)
	}
	x.out = append(x.out[:0], x.part...)
	x.count(len(x.out))
	x.answered = true
	x.release() // before the client can know: its next request may need the place
	return x.stream.Finish(x.out, nil)
}

// finish tells what happened, once, and ends the exchange.
func (g *Gate) finish(x *exchange) {
	took := time.Since(x.start)
	sent := x.status
	if !x.answered {
		sent = 0 // what the log shows is only what it would have been
	}
	x.listener.metrics.Observe(sent, x.reason, took.Seconds())
	g.log(x, took)
	x.end()
}
