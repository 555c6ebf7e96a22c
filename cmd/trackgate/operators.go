package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/internal/admin"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
)

// handlers are what operators are answered with, by side.
func (s *server) handlers() map[string]http.Handler {
	o := admin.Options{
		Address: s.settings().Admin.Address, Ready: s.gate.Ready, Metrics: s.metrics.Handler(),
		Missing: func() []string { return s.keeper().Missing() },
		Pages: map[string]func() any{
			"/backends": func() any { return s.gate.Backends() },
			"/certs":    func() any { return s.keeper().States() },
			"/status":   func() any { return s.status() },
			"/recent":   func() any { return s.access.Recent() },
		},
	}
	return map[string]http.Handler{
		addressSide: admin.NewHandler(o),
		socketSide: admin.NewSocketHandler(o, map[string]admin.Action{
			"/reload":   asked(s.reloadAsked),
			"/upgrade":  func(context.Context, []byte) (any, error) { return s.upgrade() },
			"/confirm":  func(context.Context, []byte) (any, error) { return s.status(), s.confirm() },
			"/diff":     func(ctx context.Context, _ []byte) (any, error) { return s.rehearse(ctx) },
			"/explain":  asked(s.explain),
			"/drain":    asked(s.drain),
			"/retire":   asked(s.retire),
			"/loglevel": asked(s.setLevel),
		}),
	}
}

// reloadWish is what the verb reload asks for.
type reloadWish struct {
	ConfirmSeconds float64 `json:"confirm_seconds"` // 0: no trial
}

func (s *server) reloadAsked(ctx context.Context, w reloadWish) (any, error) {
	return s.reload(ctx, time.Duration(w.ConfirmSeconds*float64(time.Second)))
}

// asked reads what an action is asked for.
func asked[T any](do func(context.Context, T) (any, error)) admin.Action {
	return func(ctx context.Context, body []byte) (any, error) {
		var wish T
		if err := json.Unmarshal(body, &wish); err != nil {
			return nil, fmt.Errorf("what is asked for cannot be read: %w", err)
		}
		return do(ctx, wish)
	}
}

// explain says what the gate would do with a request now.
func (s *server) explain(_ context.Context, q proxy.Question) (any, error) { return s.gate.Explain(q) }

// drainWish is what the verbs drain and undrain ask for.
type drainWish struct {
	Pool     string `json:"pool"`
	Backend  string `json:"backend"` // host:port
	Draining bool   `json:"draining"`
}

// drain takes a backend out, or in again. It answers with how all backends of the pool are.
// While settings change or another process takes over it waits: what is handed on then must
// have it, or it is the other's affair.
func (s *server) drain(_ context.Context, w drainWish) (any, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.relieved {
		return nil, errRelieved
	}
	if err := s.gate.Drain(w.Pool, w.Backend, w.Draining); err != nil {
		return nil, err
	}
	s.log.Info().Str("pool", w.Pool).Str("backend", w.Backend).Bool("draining", w.Draining).Msg("an operator has spoken")
	var states []pool.State
	for _, b := range s.gate.Backends() {
		if b.Pool == w.Pool {
			states = append(states, b)
		}
	}
	return states, nil
}

// retireWish is what the verbs drain and undrain ask for the whole gate.
type retireWish struct {
	On bool `json:"on"`
}

// retired is how a gate is that leaves, or stays after all.
type retired struct {
	status
	AnnounceSeconds float64 `json:"announce_seconds"` // for how much longer those before it need it to serve
}

func (s *server) retire(_ context.Context, w retireWish) (any, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.relieved {
		return nil, errRelieved
	}
	if w.On {
		s.gate.Retire()
	} else if s.gate.Stay() != nil {
		return nil, errors.New("the gate was told to end: that cannot be taken back")
	}
	s.log.Info().Bool("draining", w.On).Msg("an operator has spoken of the whole gate")
	return retired{s.status(), s.gate.Announcing().Seconds()}, nil
}

// levelWish is what the verb loglevel asks for.
type levelWish struct {
	Level string `json:"level"`
}

func (s *server) setLevel(_ context.Context, w levelWish) (any, error) {
	if _, err := zerolog.ParseLevel(w.Level); err != nil || w.Level == "" {
		return nil, fmt.Errorf("level %q: wanted debug, info, warn or error", w.Level)
	}
	setLevel(w.Level)
	s.log.Info().Str("level", w.Level).Msg("an operator has changed the log's level, until the next reload or start")
	return w, nil
}
