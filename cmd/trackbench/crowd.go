package main

import "context"

// poster is a connection that sends events, of either protocol.
type poster interface {
	// post sends the event and fails unless it is answered as it must be.
	post(event []byte) error
	close() error
}

// greeting makes the connection of a crowd's client, from 127.0.0.source.
type greeting func(ctx context.Context, source byte) (poster, error)

// crowd is a number of connected clients.
type crowd struct {
	clients []poster
	event   []byte // as their post takes it
}

// gather connects o.connections clients over HTTP/1.1, each of which makes some requests.
func gather(ctx context.Context, o order, requests int) (*crowd, error) {
	c := &crowd{event: requestBytes("POST", eventPath, eventBody())}
	return c, c.fill(ctx, o.connections, requests, func(ctx context.Context, source byte) (poster, error) {
		return o.gate.connect(ctx, source, nil)
	})
}

// gatherH2 does the same over HTTP/2.
func gatherH2(ctx context.Context, o order, requests int) (*crowd, error) {
	c := &crowd{event: []byte(eventBody())}
	return c, c.fill(ctx, o.connections, requests, func(ctx context.Context, source byte) (poster, error) {
		return o.gate.connectH2(ctx, source)
	})
}

// fill connects so many clients. When one of them fails, none is left.
func (c *crowd) fill(ctx context.Context, count, requests int, greet greeting) error {
	c.clients = make([]poster, count)
	err := inParallel(min(count, 32), count, func(_, i int) error {
		one, err := greet(ctx, sourceAddress(i))
		if err != nil {
			return err
		}
		c.clients[i] = one
		return repeat(requests, func() error { return one.post(c.event) })
	})
	if err != nil {
		c.end()
	}
	return err
}

func (c *crowd) end() {
	for _, one := range c.clients {
		if one != nil {
			_ = one.close() // nothing is read from it any more
		}
	}
}

// keepAlive makes its requests on connections that stay.
type keepAlive struct {
	*crowd
	requests int
}

func openKeepAlive(ctx context.Context, o order) (play, error) {
	c, err := gather(ctx, o, warmUps)
	return &keepAlive{c, o.requests}, err
}

func (k *keepAlive) work(context.Context) (int, error) {
	return k.requests, inParallel(len(k.clients), k.requests, func(worker, _ int) error {
		return k.clients[worker].post(k.event)
	})
}

// idle keeps connections that have made one request. The second, at the end, shows
// that all of them were kept.
type idle struct{ *crowd }

func openIdle(ctx context.Context, o order) (play, error) {
	c, err := gather(ctx, o, 1)
	return idle{c}, err
}

func openH2Idle(ctx context.Context, o order) (play, error) {
	c, err := gatherH2(ctx, o, 1)
	return idle{c}, err
}

func (k idle) work(context.Context) (int, error) {
	return len(k.clients), inParallel(1, len(k.clients), func(_, i int) error {
		return k.clients[i].post(k.event)
	})
}
