package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// berth is a running proxy with its log server, if it needs one.
type berth struct {
	*proxy
	sink  aide
	flush time.Duration
}

// launch starts one contender in a folder of its own. The caller lands it.
func (b *bench) launch(ctx context.Context, c contender) (*berth, error) {
	s, err := newSite(b.folder, c.name, b.backend.address)
	if err != nil {
		return nil, err
	}
	s.Stock = b.stock
	place := &berth{flush: c.flush}
	if c.logsOverTCP {
		if place.sink, err = b.startAide(ctx, "sink", "-file", s.AccessLog()); err != nil {
			return nil, err
		}
		s.LogServer = place.sink.address
	}
	if place.proxy, err = c.launch(ctx, s, b.options.proxyCore, b.leaf); err != nil {
		place.stop()
		return nil, err
	}
	pids, err := tree(place.pid())
	b.say("%s listens on %s, pids %v, settings %s", c.name, s.Address, pids, s.settingsFile())
	return place, err
}

// land stops a proxy and checks that it has logged every request: lines that were
// dropped would have made it cheaper than it is.
func (p *berth) land(ctx context.Context) error {
	select {
	case <-time.After(p.flush):
	case <-ctx.Done():
	}
	p.stop()
	lines, err := p.logLines()
	if err != nil {
		return err
	}
	if lines < p.sent && ctx.Err() == nil {
		return fmt.Errorf("%s: %d lines in the access log after %d requests", p.name, lines, p.sent)
	}
	return os.RemoveAll(p.site.Folder)
}

// stop ends the proxy and then its log server, which so gets the last lines.
func (p *berth) stop() {
	if p.proxy != nil {
		p.proxy.stop()
	}
	if p.sink.process != nil {
		p.sink.stop()
	}
}
