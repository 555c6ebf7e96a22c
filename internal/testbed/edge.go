package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

// Gate is a whole gate in the process of the test.
type Gate struct {
	*proxy.Gate

	protocol Protocol // of its clients; "" is HTTP/1.1, and the log is not held to it
	addrs    []string // of the listeners, in their order
	roots    *x509.CertPool
	set      *metrics.Set
	access   *accesslog.Log
	lines    *Journal
	journal  *Journal
	storage  string
	stop     context.CancelFunc
	done     chan struct{}
}

// Edge starts a gate that ends with the test: one public listener for Host, and
// what the options say. Its certificates are of a CA of its own.
func Edge(t testing.TB, options ...Option) *Gate {
	t.Helper()
	g := Assembled(t, options...)
	require.NoError(t, g.Listen(t.Context()))
	g.start(t)
	return g
}

// Assembled is Edge for a gate that does not listen yet.
func Assembled(t testing.TB, options ...Option) *Gate {
	t.Helper()
	r := &recipe{}
	for _, o := range options {
		o(r)
	}
	g := &Gate{
		lines: newJournal(), journal: newJournal(), set: metrics.New(metrics.Build{}), done: make(chan struct{}), storage: t.TempDir(),
	}
	settings := r.parse(t, g.storage)
	g.journal.trap = r.trap
	output := io.Writer(g.lines)
	if r.unread {
		output = io.Discard
	}
	g.access = accesslog.New(accesslog.Options{Output: output, Sample: 1})
	var err error
	g.Gate, err = proxy.New(settings, g.parts(t, r, settings))
	require.NoError(t, err)
	for _, l := range settings.Listeners {
		g.addrs = append(g.addrs, l.Address)
	}
	return g
}

// parts are what a gate with these settings is given. All have one CA.
func (g *Gate) parts(t testing.TB, r *recipe, settings *configs.Settings) proxy.Parts {
	t.Helper()
	log := zerolog.Logger{}.Output(g.journal)
	keeper, err := tlsconf.New(settings.TLS, settings.Listeners, log)
	require.NoError(t, err)
	if g.roots == nil {
		g.trust(t, keeper.CAFile())
	}
	return proxy.Parts{
		Certify:   func(l []configs.Listener) *tls.Config { return keeper.Config(l) },
		Challenge: r.pending,
		Outbound:  outbound(t, log),
		Own:       r.own,
		Log:       log, Access: g.access, Traces: r.traces, Metrics: g.set,
	}
}

// Prepared is what a gate that runs makes of other settings.
func (g *Gate) Prepared(t testing.TB, options ...Option) (*proxy.Change, error) {
	t.Helper()
	r := &recipe{}
	for _, o := range options {
		o(r)
	}
	settings := r.parse(t, g.storage)
	return g.Prepare(t.Context(), settings, g.parts(t, r, settings))
}

// Reload puts other settings in the place of those that the gate runs with.
func (g *Gate) Reload(t testing.TB, options ...Option) {
	t.Helper()
	change, err := g.Prepared(t, options...)
	require.NoError(t, err)
	require.NoError(t, change.Commit())
}

// outbound gives a pool its way to speak HTTPS. Nobody watches its files.
func outbound(t testing.TB, log zerolog.Logger) func(configs.Pool) func() *tls.Config {
	return func(p configs.Pool) func() *tls.Config {
		o, err := tlsconf.NewOutbound(p.TLS, log)
		require.NoError(t, err)
		return o.Config
	}
}

// trust reads the CA that signed the gate's certificates, if there is one.
func (g *Gate) trust(t testing.TB, file string) {
	t.Helper()
	g.roots = x509.NewCertPool()
	if file == "" {
		return
	}
	pem, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, g.roots.AppendCertsFromPEM(pem))
}

// start serves until the test ends, or Drain.
func (g *Gate) start(t testing.TB) {
	g.resolve()
	ctx, stop := context.WithCancel(context.Background())
	after, end := context.WithCancel(context.Background())
	g.stop = stop
	var log sync.WaitGroup
	log.Go(func() { g.access.Run(after) })
	go func() {
		g.Run(ctx)
		end()
		log.Wait()
		close(g.done)
	}()
	t.Cleanup(func() {
		stop()
		g.Ended(t)
	})
}

// resolve puts the ports that the system chose into the listeners' addresses.
func (g *Gate) resolve() {
	bound := map[string]string{}
	next := 0
	for i, a := range g.addrs {
		if _, ok := bound[a]; !ok {
			bound[a] = g.Addrs()[next].String()
			next++
		}
		g.addrs[i] = bound[a]
	}
}

// Addr returns where the listener listens that stands at this place in the
// settings.
func (g *Gate) Addr(listener int) string { return g.addrs[listener] }

// Port is the port of Addr.
func (g *Gate) Port(listener int) string {
	_, port, _ := net.SplitHostPort(g.addrs[listener])
	return port
}

// Drain tells the gate to end, as SIGTERM would.
func (g *Gate) Drain() { g.stop() }

// DrainBackend is what operators say of a backend.
func (g *Gate) DrainBackend(pool, addr string, draining bool) error {
	return g.Gate.Drain(pool, addr, draining)
}

// Ended waits for the gate to have ended.
func (g *Gate) Ended(t testing.TB) {
	t.Helper()
	select {
	case <-g.done:
	case <-time.After(Patience):
		require.FailNow(t, "the gate does not end")
	}
}
