package main

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
)

// The scenarios.
const (
	scenarioKeepAlive = "keepalive"
	scenarioVisit     = "visit"
	scenarioResumed   = "resumed"
	scenarioIdle      = "idle"
)

// play is a prepared scenario.
type play interface {
	// work does the measured part and returns how many requests it made.
	work(ctx context.Context) (int, error)
	// end closes what is still open.
	end()
}

// opening prepares a scenario: what it does is not measured.
type opening func(ctx context.Context, o order) (play, error)

func plays() map[string]opening {
	return map[string]opening{
		scenarioKeepAlive: openKeepAlive,
		scenarioVisit:     openVisits,
		scenarioResumed:   openResumed,
		scenarioIdle:      openIdle,
	}
}

// sourceAddress spreads connections over 127.0.0.2 to 127.0.0.201, so that neither
// ports in TIME_WAIT nor a proxy's limit per client get in the way.
func sourceAddress(i int) byte {
	return byte(2 + i%200)
}

// warmUps is how many requests each connection makes before the measured part.
const warmUps = 5

// crowd is a number of connected clients.
type crowd struct {
	clients []*client
	event   []byte
}

// gather connects o.connections clients, each of which makes some requests.
func gather(ctx context.Context, o order, requests int) (*crowd, error) {
	c := &crowd{clients: make([]*client, o.connections), event: requestBytes("POST", eventPath, eventBody())}
	err := inParallel(min(o.connections, 32), o.connections, func(_, i int) error {
		var err error
		if c.clients[i], err = o.gate.connect(ctx, sourceAddress(i), nil); err != nil {
			return err
		}
		return repeat(requests, func() error { return c.clients[i].post(c.event) })
	})
	if err != nil {
		c.end()
		return nil, err
	}
	return c, nil
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

func (k idle) work(context.Context) (int, error) {
	return len(k.clients), inParallel(1, len(k.clients), func(_, i int) error {
		return k.clients[i].post(k.event)
	})
}

// visits connect, shake hands, make one request and close.
type visits struct {
	order
	event    []byte
	sessions []tls.ClientSessionCache // one a worker; nil: full handshakes
}

func openVisits(ctx context.Context, o order) (play, error) {
	v := &visits{order: o, event: requestBytes("POST", eventPath, eventBody())}
	return v, inParallel(o.connections, o.connections*warmUps, func(_, i int) error {
		return v.visit(ctx, i, nil)
	})
}

// openResumed visits once with each worker, so that it holds a ticket.
func openResumed(ctx context.Context, o order) (play, error) {
	prepared, err := openVisits(ctx, o)
	if err != nil {
		return nil, err
	}
	v := prepared.(*visits)
	sessions := make([]tls.ClientSessionCache, o.connections)
	for worker := range sessions {
		sessions[worker] = tls.NewLRUClientSessionCache(1)
		if err := v.visit(ctx, worker, sessions[worker]); err != nil {
			return nil, err
		}
	}
	v.sessions = sessions
	return v, nil
}

func (v *visits) work(ctx context.Context) (int, error) {
	return v.requests, inParallel(v.connections, v.requests, func(worker, i int) error {
		if v.sessions == nil {
			return v.visit(ctx, i, nil)
		}
		return v.visit(ctx, i, v.sessions[worker])
	})
}

// visit fails when a session was to be resumed in the measured part and was not.
func (v *visits) visit(ctx context.Context, i int, sessions tls.ClientSessionCache) error {
	c, err := v.gate.connect(ctx, sourceAddress(i), sessions)
	if err != nil {
		return err
	}
	if v.sessions != nil && !c.conn.ConnectionState().DidResume {
		return errors.Join(errors.New("the session was not resumed"), c.close())
	}
	if err := c.post(v.event); err != nil {
		return errors.Join(err, c.close())
	}
	return c.close()
}

func (*visits) end() {}

// inParallel calls act with 0 to count-1, from so many workers, and returns the
// first error, after which no more calls are begun.
func inParallel(workers, count int, act func(worker, i int) error) error {
	var (
		running sync.WaitGroup
		next    atomic.Int64
		failure = make(chan error, workers)
	)
	for worker := range workers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := act(worker, i); err != nil {
					next.Store(int64(count))
					failure <- err
					return
				}
			}
		})
	}
	running.Wait()
	close(failure)
	return <-failure
}

func repeat(times int, act func() error) error {
	for range times {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}
