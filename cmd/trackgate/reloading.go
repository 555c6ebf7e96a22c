package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// heed has signals wait for the gate from now on: one that comes before it is asked for
// would end the program.
func (s *server) heed() {
	s.hangups, s.upgrades = make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(s.hangups, syscall.SIGHUP)
	signal.Notify(s.upgrades, syscall.SIGUSR2)
}

// reloadOnSignal leaves a log that was moved and loads the settings again with each SIGHUP,
// and has another process take over with SIGUSR2, until ctx ends.
func (s *server) reloadOnSignal(ctx context.Context) {
	for {
		select {
		case <-s.hangups:
			s.reopen()
			s.reload(ctx, 0) //nolint:errcheck // the log tells
		case <-s.upgrades:
			s.upgrade() //nolint:errcheck // the log tells
		case <-ctx.Done():
			return
		}
	}
}

// reload puts the settings as they are now in the place of those that the gate runs with. It
// returns what is different. Where anything is wrong, nothing changes. With a time they are
// on trial for so long.
func (s *server) reload(ctx context.Context, confirm time.Duration) (report, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.manager.Reloading()
	r, err := s.try(ctx, confirm)
	s.manager.Reloaded(err)
	s.metrics.Reloaded(err == nil)
	if err != nil {
		s.log.Error().Err(err).Msg("settings are not reloaded, those of before stay in use")
		return r, err
	}
	s.log.Info().Int("changes", len(r.Changes)).Strs("effects", r.Effects).Strs("at_next_start", r.AtNextStart).Msg("settings are reloaded")
	return r, nil
}

// try uses the settings, for good or on trial.
func (s *server) try(ctx context.Context, confirm time.Duration) (report, error) {
	if s.relieved {
		return report{}, errRelieved
	}
	if s.onTrial != nil {
		return report{}, errOnTrial
	}
	if confirm <= 0 {
		return s.apply(ctx, true)
	}
	t := s.newTrial(confirm)
	r, err := s.apply(ctx, true)
	if err == nil && len(r.Changes) > 0 { // there is something to be tried
		t.file = r.file
		r.OnTrialUntil, s.onTrial = t.until, t
		s.trials <- t
	}
	return r, err
}

// rehearse says what a reload would change, and whether it would work.
func (s *server) rehearse(ctx context.Context) (report, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.apply(ctx, false)
}

// report is what a reload has changed, or would.
type report struct {
	Changes     []configs.Difference `json:"changes"`
	Effects     []string             `json:"effects"`       // whom it touches
	AtNextStart []string             `json:"at_next_start"` // keys that have no effect before

	OnTrialUntil time.Time `json:"on_trial_until,omitzero"` // unless it is confirmed before

	file print // that was loaded
}

// apply prepares the settings as they are now and uses them, or gives all back.
func (s *server) apply(ctx context.Context, use bool) (r report, err error) {
	settings, content, err := s.load()
	if err != nil {
		return r, err
	}
	old := s.settings()
	p, err := s.prepare(ctx, settings)
	if err != nil {
		return r, failure(err)
	}
	r = report{Changes: configs.Diff(old, settings), Effects: p.change.Effects(), file: content}
	for _, d := range r.Changes {
		if startsOnly(d.Key) {
			r.AtNextStart = append(r.AtNextStart, d.Key)
		}
	}
	if !use {
		p.cancel()
		return r, nil
	}
	if err := p.commit(); err != nil {
		return r, failure(err)
	}
	return r, nil
}

// startsOnly reports whether a key has an effect only when the gate is started.
func startsOnly(key string) bool { return key == "log.format" }
