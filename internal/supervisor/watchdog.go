package supervisor

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Parts of the manager's patience. A probe that fails at once is repeated some times
// before the patience is at its end, one that hangs once.
const (
	pingShare  = 2 // from ping to ping
	probeShare = 4 // for a probe
	againShare = 16
)

// watch answers the watchdog: at once, as the manager counts from READY=1 on, and then
// until after ends.
func (s *Supervisor) watch(ctx, after context.Context) {
	if s.watchdog == 0 {
		return
	}
	failing := false
	for wait := time.Duration(0); pause(after, wait); {
		err := s.probe(ctx)
		if err != nil {
			s.options.Log.Error().Err(err).Msg("the gate does not answer itself: the service manager will start it anew if this goes on")
			failing, wait = true, s.watchdog/againShare
			continue
		}
		if failing {
			s.options.Log.Info().Msg("the gate answers itself again")
		}
		failing, wait = false, s.watchdog/pingShare
		s.ping()
	}
}

// probe returns nil when the gate answers itself. One that drains has closed its doors;
// how long it may do so is bounded otherwise.
func (s *Supervisor) probe(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, s.watchdog/probeShare)
	defer cancel()
	if err := s.options.Probe(within); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (s *Supervisor) ping() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendLocked(daemon.SdNotifyWatchdog)
}
