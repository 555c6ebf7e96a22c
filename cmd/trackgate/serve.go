package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/supervisor"
	"github.com/trackgate/trackgate/internal/traces"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

// started tells where a gate that has just begun to serve can be reached.
type started struct {
	Addrs  []net.Addr // of the addresses in the settings, in their order
	Admin  net.Addr   // nil for none
	CAFile string     // of the internal CA; "" for none
}

// serve runs a whole gate until ctx ends and it has drained. Everything that can fail, fails
// before ready is called. from is where the settings are loaded from again.
func serve(ctx context.Context, settings *configs.Settings, from source, ready func(started)) error {
	s, err := assemble(settings, from)
	if err != nil {
		return failure(err)
	}
	defer s.close()
	ctx, s.leave = context.WithCancel(ctx)
	defer s.leave()
	if err := s.listen(ctx); err != nil {
		return failure(err)
	}
	ready(s.started())
	s.run(ctx)
	return nil
}

// source is where settings are loaded from, again and again. The zero value is nowhere.
type source struct {
	file        string
	environment []string
}

// load returns the settings as they are now, and which content of the file that is.
func (s source) load() (*configs.Settings, print, error) {
	if s.file == "" {
		return nil, print{}, errNoFile
	}
	return loadSettings(s.file, s.environment)
}

// server is the parts of a running gate.
type server struct {
	source
	log     zerolog.Logger
	journal *journal  // what log writes to
	output  logOutput // of the access log
	access  *accesslog.Log
	traces  *traces.Exporter
	metrics *metrics.Set
	history *metrics.History
	gate    *proxy.Gate
	sides   sides // for operators
	heir    heir
	program string             // the file that was started
	leave   context.CancelFunc // ends the serving; nil before
	began   time.Time

	reloading sync.Mutex // one at a time
	onTrial   *trial     // nil: nothing is
	relieved  bool       // another process has taken over
	trials    chan *trial
	current   atomic.Pointer[generation]
	changed   chan struct{} // gets word when there is another generation

	hangups, upgrades chan os.Signal // SIGHUP and SIGUSR2

	manager *supervisor.Supervisor
	prober  supervisor.Prober
}

// assemble makes the parts.
func assemble(settings *configs.Settings, from source) (*server, error) {
	s := &server{
		source: from, journal: newJournal(os.Stderr), metrics: metrics.New(build()),
		began: time.Now(), changed: make(chan struct{}, 1), trials: make(chan *trial, 1),
	}
	s.heed()
	s.history = metrics.NewHistory(s.metrics)
	s.log = newLogger(settings.Log, os.Stderr, s.journal)
	limitMemory(s.log, os.DirFS("/"))
	var err error
	if s.output, err = openOutput(settings.Log.Access, s.asideTrouble); err != nil {
		s.close()
		return nil, err
	}
	s.access = accesslog.New(accesslog.Options{
		Output: s.output, Sample: settings.Log.Access.Sample, Notify: s.logTrouble,
	})
	s.metrics.AccessLogDropped(s.access.Dropped)
	s.traces = traces.New(s.traceTrouble)
	s.metrics.Spans(s.traces.Exported, s.traces.Dropped)
	s.metrics.Reloaded(true)
	first, err := firstGeneration(settings, s.log)
	if err == nil {
		s.current.Store(first)
		s.traces.Set(first.traces)
		s.gate, err = proxy.New(settings, s.parts(first))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.manager = s.newManager()
	return s, nil
}

// parts are what the gate is given for a generation.
func (s *server) parts(g *generation) proxy.Parts {
	return proxy.Parts{
		Certify:   func(l []configs.Listener) *tls.Config { return g.keeper.Config(l) },
		Challenge: func(host, path string) []byte { return s.keeper().Challenge(host, path) },
		Outbound:  g.outbound.of,
		HandshakeResult: func(err error) metrics.Handshake {
			return metrics.HandshakeNamed(tlsconf.HandshakeResult(err))
		},
		Own: s.prober.Own, Log: s.log, Access: s.access, Traces: s.traces, Metrics: s.metrics,
	}
}

func (s *server) keeper() *tlsconf.Keeper { return s.current.Load().keeper }

func (s *server) started() started {
	at := started{Addrs: s.gate.Addrs(), CAFile: s.keeper().CAFile()}
	if l := s.sides.opened[addressSide]; l != nil {
		at.Admin = l.Addr()
	}
	return at
}

// listen opens the sockets.
func (s *server) listen(ctx context.Context) error {
	var err error
	if s.heir, err = inherit(); err != nil {
		return err
	}
	if s.program, err = programPath(); err != nil {
		return err
	}
	for _, l := range s.heir.sockets {
		if tcp, ok := l.(*net.TCPListener); ok && !s.isForOperators(l) {
			s.gate.Inherit(tcp)
			continue
		}
		s.sides.heirs = append(s.sides.heirs, l)
	}
	s.gate.InheritDrained(s.heir.drained)
	if s.heir.trouble != nil {
		s.log.Warn().Err(s.heir.trouble).Msg("visitors do not resume: what the process before has left cannot be read")
	}
	s.keeper().Inherit(s.heir.tickets)
	s.heir.tickets = tlsconf.Legacy{} // keys that have ended are to be nowhere
	if err := s.gate.Listen(ctx); err != nil {
		return err
	}
	return s.sides.open(ctx, s.settings().Admin, s.log)
}

// run serves until ctx ends. The gate drains first; what watches it, and the
// log, end after it.
func (s *server) run(ctx context.Context) {
	after, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { s.access.Run(after) })
	parts.Go(func() { s.traces.Run(after) })
	parts.Go(func() { s.keep(after) })
	parts.Go(func() { s.showCertificates(after) })
	parts.Go(func() { s.history.Run(after) })
	parts.Go(func() { tidyMemory(after) })
	parts.Go(func() { s.sides.run(after, s.handlers(), s.log) })
	parts.Go(func() { s.reloadOnSignal(after) })
	parts.Go(func() { s.reloadOnChange(after) })
	parts.Go(func() { s.judge(after) })
	parts.Go(func() { s.tellReady(after) })
	parts.Go(func() { s.manager.Run(ctx, after) })
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

// showCertificates sets the metrics of each host, until ctx ends.
func (s *server) showCertificates(ctx context.Context) {
	ticker := time.NewTicker(certificateInterval)
	defer ticker.Stop()
	shown := map[string]bool{}
	for {
		shown = s.showEach(shown)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// showEach returns the hosts that it has shown; those of before that are no more are
// taken away.
func (s *server) showEach(before map[string]bool) map[string]bool {
	shown := map[string]bool{}
	for _, c := range s.keeper().States() {
		if c.Source != "" {
			s.metrics.Certificate(c.Host, c.NotAfter)
		}
		failures := 0
		if c.Order != nil {
			failures = c.Order.Failures
		}
		s.metrics.CertificateOrders(c.Host, failures)
		shown[c.Host] = true
		delete(before, c.Host)
	}
	for host := range before {
		s.metrics.RemoveCertificate(host)
	}
	return shown
}

// close gives back what assemble opened.
func (s *server) close() {
	signal.Stop(s.hangups)
	signal.Stop(s.upgrades)
	if s.output != nil {
		s.output.Close()
	}
	s.journal.close(lastWords)
}
