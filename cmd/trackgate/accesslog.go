package main

import (
	"time"

	"github.com/trackgate/trackgate/configs"
)

// logTrouble tells when the access log cannot be written, and when it can again.
func (s *server) logTrouble(err error) {
	if err != nil {
		s.log.Error().Err(err).Msg("the access log cannot be written: lines are dropped")
		return
	}
	s.log.Info().Msg("the access log is written again")
}

// asideTrouble tells that the access log's file cannot be put aside.
func (s *server) asideTrouble(err error) {
	s.log.Warn().Err(err).Msg("the access log cannot be put aside: its file is written on")
}

// reopen leaves a log that was moved for a new one.
func (s *server) reopen() {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if err := s.output.Reopen(); err != nil {
		s.log.Error().Err(err).Msg("the access log is not reopened: the file that was open is written on")
	}
}

// newOutput opens where the access log of other settings goes; nil: where it goes now.
func (s *server) newOutput(other configs.AccessLog) (logOutput, error) {
	now := s.settings().Log.Access
	if other.Output == now.Output && other.Rotate == now.Rotate {
		return nil, nil
	}
	return openOutput(other, s.asideTrouble)
}

// exchangeOutput has the access log written to another output. The old one may take no
// more, as a pipe that nobody reads: then it is left as it is.
func (s *server) exchangeOutput(other logOutput) {
	old, done := s.output, make(chan struct{})
	s.output = other
	go func() {
		s.access.SetOutput(other)
		old.Close() //nolint:errcheck // its lines are written
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(lastWords):
		s.log.Error().Msg("the old output of the access log takes no more: the new one is not used before it does")
	}
}
