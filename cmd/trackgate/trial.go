package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/pool"
)

// trial is settings that are in use until somebody confirms them. When nobody does in
// time, or the gate does worse with them, those of before come back.
type trial struct {
	old       *configs.Settings
	file      print // of the settings on trial
	until     time.Time
	confirmed chan struct{}
	health    metrics.Health  // when it began
	down      map[string]bool // backends, then
	worse     int             // looks in a row that found more of them down
}

// trialInterval is how often it is looked how a trial goes.
const trialInterval = time.Second

// What counts as worse: so many failures at least, of which so much more than twice the
// share before, and backends that were up for so many looks in a row.
const (
	fewFailures = 10
	moreFailed  = 0.02
	looksDown   = 3
)

var (
	errOnTrial = errors.New("settings are on trial: trackgate confirm keeps them, and until then there is no other reload")
	errNoTrial = errors.New("no settings are on trial")
)

// newTrial notes how the gate does before settings are used.
func (s *server) newTrial(while time.Duration) *trial {
	return &trial{
		old: s.settings(), until: time.Now().Add(while), confirmed: make(chan struct{}),
		health: s.metrics.Health(), down: downOf(s.gate.Backends()),
	}
}

func downOf(states []pool.State) map[string]bool {
	down := map[string]bool{}
	for _, b := range states {
		if b.State == "down" {
			down[b.Pool+" "+b.Backend] = true
		}
	}
	return down
}

// trouble says what is worse than before the trial, "" for nothing.
func (t *trial) trouble(now metrics.Health, states []pool.State) string {
	since := now.Since(t.health)
	if rises(since.Failed, since.Requests, t.health.Failed, t.health.Requests) {
		return fmt.Sprintf("%d of %d requests were answered with a 5xx", since.Failed, since.Requests)
	}
	if rises(since.FailedHandshakes, since.Handshakes, t.health.FailedHandshakes, t.health.Handshakes) {
		return fmt.Sprintf("%d of %d handshakes were refused", since.FailedHandshakes, since.Handshakes)
	}
	for name := range downOf(states) {
		if t.down[name] {
			continue
		}
		if t.worse++; t.worse >= looksDown {
			return fmt.Sprintf("backend %s is down", name)
		}
		return ""
	}
	t.worse = 0
	return ""
}

// rises reports whether a share is clearly larger than before.
func rises(failed, all, failedBefore, allBefore uint64) bool {
	before := 0.0
	if allBefore > 0 {
		before = float64(failedBefore) / float64(allBefore)
	}
	return failed >= fewFailures && float64(failed)/float64(all) > 2*before+moreFailed
}

// judge waits for the end of trials, one after the other, until ctx ends.
func (s *server) judge(ctx context.Context) {
	for {
		select {
		case t := <-s.trials:
			s.watchTrial(ctx, t)
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) watchTrial(ctx context.Context, t *trial) {
	tick := time.NewTicker(trialInterval)
	defer tick.Stop()
	for {
		select {
		case <-t.confirmed:
			s.log.Info().Msg("an operator has confirmed the settings")
			return
		case <-ctx.Done():
			return
		case now := <-tick.C:
			why := t.trouble(s.metrics.Health(), s.gate.Backends())
			if why == "" && now.After(t.until) {
				why = "nobody has confirmed"
			}
			if why != "" {
				s.revert(ctx, t, why)
				return
			}
		}
	}
}

// revert uses the settings of before a trial again, unless it was confirmed meanwhile.
func (s *server) revert(ctx context.Context, t *trial, why string) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.onTrial != t {
		return
	}
	s.onTrial = nil
	s.metrics.Reloaded(false)
	p, err := s.prepare(ctx, t.old)
	if err == nil {
		err = p.commit()
	}
	if err != nil {
		s.log.Error().Err(err).Str("why", why).Msg("the settings of before cannot come back")
		return
	}
	s.log.Warn().Str("why", why).Msg("the settings of before are in use again")
}

// confirm ends the trial well.
func (s *server) confirm() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.onTrial == nil {
		return errNoTrial
	}
	close(s.onTrial.confirmed)
	s.onTrial = nil
	return nil
}
