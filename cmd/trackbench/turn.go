package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"
)

// order is what the load verb is told for one turn of a scenario.
func (b *bench) order(s scenario, p *berth) []string {
	o := order{scenario: s.name, gate: p.gate, connections: s.connections, streams: s.streams, requests: s.requests}
	return append([]string{b.executable}, o.args(filepath.Join(b.folder, certificateFile))...)
}

// processorTurn lets one proxy do one round and returns microseconds per request.
func (b *bench) processorTurn(ctx context.Context, s scenario, p *berth) (float64, error) {
	talk, err := startTalk(ctx, b.order(s, p), b.options.loadCore)
	if err != nil {
		return 0, err
	}
	defer talk.end()
	before, err := sumOver(p.pid(), processorTime)
	if err != nil {
		return 0, err
	}
	done, err := talk.work()
	if err != nil {
		return 0, err
	}
	after, err := sumOver(p.pid(), processorTime)
	if err != nil {
		return 0, err
	}
	p.sent += done.Requests
	each := float64((after - before).Nanoseconds()) / 1e3 / float64(done.Requests)
	b.say("%s %s: %d requests in %.2f s, %.1f us each", s.name, p.name, done.Requests, done.Seconds, each)
	return each, nil
}

// memoryTurn starts a proxy for one round and returns bytes per connection.
func (b *bench) memoryTurn(ctx context.Context, s scenario, c contender) (bytes float64, err error) {
	p, err := b.launch(ctx, c)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.land(ctx)) }()
	if _, err := b.processorTurn(ctx, s.warmUp(), p); err != nil {
		return 0, err
	}
	before, err := settled(ctx, p, s.settle/5)
	if err != nil {
		return 0, err
	}
	talk, err := startTalk(ctx, b.order(s, p), b.options.loadCore)
	if err != nil {
		return 0, err
	}
	defer talk.end()
	after, err := settled(ctx, p, s.settle)
	if err != nil {
		return 0, err
	}
	done, err := talk.work()
	p.sent += s.connections + done.Requests
	b.say("%s %s: %d kB before, %d kB after", s.name, p.name, before>>10, after>>10)
	return float64(after-before) / float64(s.connections), err
}

// settled waits and reads the memory of a proxy.
func settled(ctx context.Context, p *berth, wait time.Duration) (int64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(wait):
		return sumOver(p.pid(), residentBytes)
	}
}
