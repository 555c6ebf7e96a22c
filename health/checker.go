package health

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// Checker checks the backends of one pool.
type Checker struct {
	interval time.Duration
	checks   []*check
	changed  func(i int, up bool, why string)
	chance   func() float64 // in [0, 1)
}

// check is the series of probes of one backend.
type check struct {
	ask   func(context.Context) error
	tally tally // of the goroutine that runs the check
	state atomic.Pointer[State]
}

// New returns a Checker that asks targets as the settings say and calls changed
// when one turns out to be up or down: for one target never twice at a time,
// but for different ones in parallel. An interval of 0 means that nobody is
// asked and all are up.
func New(settings configs.Health, targets []Target, changed func(i int, up bool, why string)) *Checker {
	c := &Checker{interval: settings.Interval, changed: changed, chance: rand.Float64}
	for _, t := range targets {
		c.checks = append(c.checks, newCheck(settings, t))
	}
	return c
}

// newCheck returns the check of one backend before its first probe. A question
// that cannot be asked is answered like one to a backend that cannot answer.
func newCheck(s configs.Health, t Target) *check {
	k := &check{tally: tally{rise: s.Rise, fall: s.Fall}}
	if p, err := newProbe(s, t); err == nil {
		k.ask = p.ask
	} else {
		k.ask = func(context.Context) error { return err }
	}
	first := State{Status: Unknown, Why: "not checked yet", Since: time.Now()}
	if s.Interval == 0 {
		first.Status, first.Why = Up, "no active checks"
	}
	k.state.Store(&first)
	return k
}

// Run checks until ctx ends, and returns when the last probe has.
func (c *Checker) Run(ctx context.Context) {
	if c.interval == 0 {
		<-ctx.Done()
		return
	}
	var running sync.WaitGroup
	for i := range c.checks {
		running.Go(func() { c.run(ctx, i) })
	}
	running.Wait()
}

// State returns what is known of target i now.
func (c *Checker) State(i int) State { return *c.checks[i].state.Load() }

// run is the check of one backend.
func (c *Checker) run(ctx context.Context, i int) {
	for {
		start := time.Now()
		failure := c.checks[i].ask(ctx)
		if ctx.Err() != nil {
			return // the probe was cut short and says nothing
		}
		c.add(i, failure)
		select {
		case <-time.After(c.pause() - time.Since(start)):
		case <-ctx.Done():
			return
		}
	}
}

// add counts a probe of target i and tells if that changes anything. For want of
// a file descriptor no probe was sent, which says nothing of the target.
func (c *Checker) add(i int, failure error) {
	if ours(failure) {
		return
	}
	k := c.checks[i]
	if !k.tally.add(failure, false) {
		return
	}
	k.state.Store(&State{Status: k.tally.status, Why: k.tally.why, Since: time.Now()})
	c.changed(i, k.tally.status == Up, k.tally.why)
}

// pause is the time from the start of one probe to that of the next: the
// interval, give or take a tenth.
func (c *Checker) pause() time.Duration {
	return time.Duration(float64(c.interval) * (0.9 + 0.2*c.chance()))
}
