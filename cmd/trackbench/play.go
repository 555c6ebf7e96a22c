package main

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
)

// The scenarios. Those of h2load are named after connections and streams.
const (
	scenarioKeepAlive = "keepalive"
	scenarioVisit     = "visit"
	scenarioResumed   = "resumed"
	scenarioIdle      = "idle"
	scenarioH2Shared  = "h2-32x8"
	scenarioH2Single  = "h2-64x1"
	scenarioH2Paired  = "h2-128x2"
	scenarioH2Idle    = "h2-idle"
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
		scenarioH2Shared:  openFlood,
		scenarioH2Single:  openFlood,
		scenarioH2Paired:  openFlood,
		scenarioH2Idle:    openH2Idle,
	}
}

// sourceAddress spreads connections over 127.0.0.2 to 127.0.0.201, so that neither
// ports in TIME_WAIT nor a proxy's limit per client get in the way.
func sourceAddress(i int) byte {
	return byte(2 + i%200)
}

// warmUps is how many requests each connection makes before the measured part.
const warmUps = 5

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
