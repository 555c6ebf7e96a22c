package supervisor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
)

// Options are what a Supervisor tells of.
type Options struct {
	Ready  func() error                // nil as soon as the gate takes traffic
	Status func() string               // how it is, in words, in one line
	Probe  func(context.Context) error // nil when the gate answers itself
	Stop   func() time.Duration        // how long it may take to end, drain and all
	Log    zerolog.Logger
}

// Supervisor talks to the service manager. Run is called once; Reloading and Reloaded
// may be called at any time, one after the other.
type Supervisor struct {
	options  Options
	watchdog time.Duration      // the manager's patience; 0: it does not watch
	send     func(string) error // nil: nobody listens

	mu     sync.Mutex
	phase  phase
	failed bool   // the last reload
	told   string // status
	silent bool   // the manager could not be told something, which is in the log
}

// phase is how far the gate is in its life, as the manager knows.
type phase uint8

const (
	starting phase = iota
	serving
	stopping
)

// The paces.
const (
	readyPace  = 20 * time.Millisecond // between two looks whether the gate is ready
	statusPace = time.Second           // between two looks at its status
)

// New returns a Supervisor for the manager that the environment names; without one it
// does nothing.
func New(o Options) *Supervisor {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return newSupervisor(o, 0, nil)
	}
	s := newSupervisor(o, 0, notify)
	var err error
	if s.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		o.Log.Error().Err(err).Msg("the service manager's watchdog cannot be understood, so it gets no answer")
	}
	return s
}

func newSupervisor(o Options, watchdog time.Duration, send func(string) error) *Supervisor {
	return &Supervisor{options: o, watchdog: watchdog, send: send}
}

// notify sends one message.
func notify(message string) error {
	_, err := daemon.SdNotify(false, message)
	return err
}

// Run keeps the manager informed. The gate serves until ctx ends, then it drains until
// after ends, and so does Run.
func (s *Supervisor) Run(ctx, after context.Context) {
	if s.send == nil {
		return
	}
	var watch sync.WaitGroup
	if s.awaitReady(ctx) {
		s.enter(serving, daemon.SdNotifyReady)
		watch.Go(func() { s.watch(ctx, after) })
		s.report(ctx)
	}
	s.enter(stopping, daemon.SdNotifyStopping, fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", s.options.Stop().Microseconds()))
	watch.Wait()
}

// awaitReady returns true as soon as the gate is ready, false if ctx ends before.
func (s *Supervisor) awaitReady(ctx context.Context) bool {
	for s.options.Ready() != nil {
		if !pause(ctx, readyPace) {
			return false
		}
	}
	return true
}

// report tells of each new status until ctx ends.
func (s *Supervisor) report(ctx context.Context) {
	for pause(ctx, statusPace) {
		s.mu.Lock()
		if s.status() != s.told {
			s.tellLocked()
		}
		s.mu.Unlock()
	}
}

// Reloading tells that new settings are being loaded. Reloaded has to follow.
func (s *Supervisor) Reloading() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == serving {
		s.tellLocked(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
	}
}

// Reloaded tells that the gate goes on: with the new settings or, after an error, with
// those that it had.
func (s *Supervisor) Reloaded(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err != nil
	if s.phase == serving {
		s.tellLocked(daemon.SdNotifyReady)
	}
}

// enter begins a phase and tells of it.
func (s *Supervisor) enter(p phase, words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = p
	s.tellLocked(words...)
}

// tellLocked sends words, with the status if that is a new one.
func (s *Supervisor) tellLocked(words ...string) {
	if status := s.status(); status != s.told {
		s.told = status
		words = append(words, "STATUS="+status)
	}
	s.sendLocked(words...)
}

// sendLocked sends words in one message. That it cannot is told once.
func (s *Supervisor) sendLocked(words ...string) {
	err := s.send(strings.Join(words, "\n"))
	if err != nil && !s.silent {
		s.options.Log.Error().Err(err).Msg("the service manager cannot be told how the gate is")
	}
	s.silent = err != nil
}

// status is one line: a second one would be a word to the manager.
func (s *Supervisor) status() string {
	if s.phase == stopping {
		return "draining"
	}
	text := strings.ReplaceAll(s.options.Status(), "\n", " ")
	if s.failed {
		text += ", with the old settings: the new ones were refused"
	}
	return text
}

// pause waits for a while. It reports whether ctx goes on.
func pause(ctx context.Context, while time.Duration) bool {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
