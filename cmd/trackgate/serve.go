package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/admin"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

// started tells where a gate that has just begun to serve can be reached.
type started struct {
	Addrs  []net.Addr // of the addresses in the settings, in their order
	Admin  net.Addr   // nil for none
	CAFile string     // of the internal CA; "" for none
}

// serve runs a whole gate until ctx ends and it has drained. Everything that
// can fail, fails before ready is called.
func serve(ctx context.Context, settings *configs.Settings, ready func(started)) error {
	s, err := assemble(settings)
	if err != nil {
		return failure(err)
	}
	defer s.close()
	if err := s.listen(ctx); err != nil {
		return failure(err)
	}
	ready(s.started())
	s.run(ctx)
	return nil
}

// server is the parts of a running gate.
type server struct {
	settings *configs.Settings
	log      zerolog.Logger
	journal  *journal       // what log writes to
	output   io.WriteCloser // of the access log
	access   *accesslog.Log
	metrics  *metrics.Set
	keeper   *tlsconf.Keeper
	outbound outbound
	gate     *proxy.Gate
	admin    *admin.Server
	adminAt  net.Listener // nil without an admin address
}

// assemble makes the parts.
func assemble(settings *configs.Settings) (*server, error) {
	s := &server{settings: settings, journal: newJournal(os.Stderr), metrics: metrics.New(build())}
	s.log = newLogger(settings.Log, os.Stderr, s.journal)
	limitMemory(s.log, os.DirFS("/"))
	var err error
	if s.output, err = openOutput(settings.Log.Access.Output); err != nil {
		s.close()
		return nil, err
	}
	s.access = accesslog.New(accesslog.Options{
		Output: s.output, Sample: settings.Log.Access.Sample, Notify: s.logTrouble,
	})
	s.metrics.AccessLogDropped(s.access.Dropped)
	s.metrics.Reloaded(true)
	if s.keeper, err = tlsconf.New(settings.TLS, settings.Listeners, s.log); err != nil {
		s.close()
		return nil, err
	}
	if s.outbound, err = newOutbound(settings.Pools, s.log); err != nil {
		s.close()
		return nil, err
	}
	s.gate, err = proxy.New(settings, proxy.Parts{
		Certify:   func(l []configs.Listener) *tls.Config { return s.keeper.Config(l) },
		Challenge: s.keeper.Challenge,
		Outbound:  s.outbound.of,
		HandshakeResult: func(err error) metrics.Handshake {
			return metrics.HandshakeNamed(tlsconf.HandshakeResult(err))
		},
		Log: s.log, Access: s.access, Metrics: s.metrics,
	})
	if err != nil {
		s.close()
	}
	return s, err
}

// logTrouble tells when the access log cannot be written, and when it can again.
func (s *server) logTrouble(err error) {
	if err != nil {
		s.log.Error().Err(err).Msg("the access log cannot be written: lines are dropped")
		return
	}
	s.log.Info().Msg("the access log is written again")
}

func (s *server) started() started {
	at := started{Addrs: s.gate.Addrs(), CAFile: s.keeper.CAFile()}
	if s.adminAt != nil {
		at.Admin = s.adminAt.Addr()
	}
	return at
}

// listen opens the sockets.
func (s *server) listen(ctx context.Context) error {
	if err := s.gate.Listen(ctx); err != nil {
		return err
	}
	if s.settings.Admin.Address == "" {
		return nil
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.settings.Admin.Address)
	if err != nil {
		return fmt.Errorf("admin.address: %w%s", err, proxy.Holder(s.settings.Admin.Address, err))
	}
	s.adminAt = l
	handler := admin.NewHandler(admin.Options{
		Address: s.settings.Admin.Address, Ready: s.gate.Ready, Metrics: s.metrics.Handler(),
		Backends:     func() any { return s.gate.Backends() },
		Certificates: func() any { return s.keeper.States() }, Missing: s.keeper.Missing,
	})
	s.admin = admin.NewServer(handler, log.New(s.log, "", 0))
	return nil
}

// run serves until ctx ends. The gate drains first; what watches it, and the
// log, end after it.
func (s *server) run(ctx context.Context) {
	after, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { s.access.Run(after) })
	parts.Go(func() { s.keep(after) })
	parts.Go(func() { s.outbound.run(after, s.log) })
	parts.Go(func() { tidyMemory(after) })
	if s.adminAt != nil {
		parts.Go(func() {
			if err := s.admin.Run(after, s.adminAt); err != nil && !errors.Is(err, http.ErrServerClosed) {
				s.log.Error().Err(err).Msg("the admin side has ended")
			}
		})
	}
	for _, a := range s.gate.Addrs() {
		s.log.Info().Str("address", a.String()).Msg("listening")
	}
	s.gate.Run(ctx)
	s.log.Info().Msg("drained")
	stop()
	s.await(&parts)
}

// lastWords is how long the log may take for its last lines.
const lastWords = 3 * time.Second

// await waits for the parts to end. An output that takes no more, such as a pipe
// that nobody reads, must not keep the program alive.
func (s *server) await(parts *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		parts.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(lastWords):
		s.log.Error().Msg("the access log's output takes no more: its last lines are lost")
	}
}

// certificateInterval is how often the expiry of certificates is shown anew.
const certificateInterval = 15 * time.Second

// keep lets the keeper of certificates work and shows what it holds.
func (s *server) keep(ctx context.Context) {
	var keeper sync.WaitGroup
	keeper.Go(func() {
		if err := s.keeper.Run(ctx); err != nil {
			s.log.Error().Err(err).Msg("certificates are not watched any more")
		}
	})
	ticker := time.NewTicker(certificateInterval)
	defer ticker.Stop()
	for {
		s.showCertificates()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			keeper.Wait()
			return
		}
	}
}

// showCertificates sets the metrics of each host.
func (s *server) showCertificates() {
	for _, c := range s.keeper.States() {
		if c.Source != "" {
			s.metrics.Certificate(c.Host, c.NotAfter)
		}
		failures := 0
		if c.Order != nil {
			failures = c.Order.Failures
		}
		s.metrics.CertificateOrders(c.Host, failures)
	}
}

// close gives back what assemble opened.
func (s *server) close() {
	if s.output != nil {
		s.output.Close()
	}
	s.journal.close(lastWords)
}
