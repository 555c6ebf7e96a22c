package traces

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/trackgate/trackgate/internal/accesslog"
)

// The defaults of OpenTelemetry's batch span processor, which collectors are made for; of the
// waiting between attempts, those of its exporters.
const (
	queueSize  = 2048
	batchSize  = 512
	batchEvery = 5 * time.Second
	postTime   = 10 * time.Second
	firstWait  = 5 * time.Second
	longWait   = 30 * time.Second
	patience   = time.Minute     // from the first attempt to the last
	lastWords  = 2 * time.Second // for what is left in the end
)

// Options say where spans go and which exchanges have one.
type Options struct {
	URL     string // that takes OTLP over HTTP; "" for nowhere
	Fields  http.Header
	Roots   *x509.CertPool // who may sign for its host; nil: the system's
	Sample  float64        // 0 to 1 of the exchanges that nobody else has decided about
	Service string         // service.name
	Version string         // service.version
}

// Exporter takes the spans of exchanges. Its methods may be called by any number of
// goroutines at once.
type Exporter struct {
	to       atomic.Pointer[destination] // nil: off
	queue    chan *record
	exported atomic.Uint64
	dropped  atomic.Uint64
	notify   func(error)
	failing  bool // was said; Run alone knows
	rest     rest // Run alone knows
	pace     pace
}

// rest is how long a collector is left alone.
type rest struct {
	of    *destination
	until time.Time
}

// left returns how long that is from now on; another collector knows of no rest.
func (e *Exporter) left() time.Duration {
	if e.rest.of != e.to.Load() {
		return 0
	}
	return time.Until(e.rest.until)
}

// pace is how long Run waits; tests make it shorter.
type pace struct{ batch, first, long, patience, last time.Duration }

// destination is a collector and what is told to it.
type destination struct {
	Options
	client    *http.Client
	threshold uint64 // of 2^63 that are drawn from
	resource  *tracepb.ResourceSpans
}

// New returns an exporter that is off. notify is told when exporting begins to fail, and with
// nil when it works again; it may be nil.
func New(notify func(error)) *Exporter {
	if notify == nil {
		notify = func(error) {}
	}
	return &Exporter{
		queue: make(chan *record, queueSize), notify: notify,
		pace: pace{batchEvery, firstWait, longWait, patience, lastWords},
	}
}

// Set says from now on where spans go; those in the queue go there as well.
func (e *Exporter) Set(o Options) {
	old := e.to.Load()
	if old != nil && old.same(o) {
		return
	}
	if old != nil {
		defer old.client.CloseIdleConnections() // a post that runs is not harmed
	}
	if o.URL == "" {
		e.to.Store(nil)
		return
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	d := &destination{Options: o, threshold: uint64(min(max(o.Sample, 0), 1) * (1 << 63))}
	d.client = &http.Client{Transport: transport, Timeout: postTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	host, _ := os.Hostname() //nolint:errcheck // without one there is none
	d.resource = resourceOf(o.Service, o.Version, host)
	e.to.Store(d)
}

// same reports whether these are the options already.
func (d *destination) same(o Options) bool {
	return d.URL == o.URL && d.Sample == o.Sample && d.Service == o.Service && d.Version == o.Version && reflect.DeepEqual(d.Fields, o.Fields) && d.Roots.Equal(o.Roots)
}

// On reports whether there is anybody to tell; a nil exporter is off.
func (e *Exporter) On() bool { return e != nil && e.to.Load() != nil }

// Chosen draws whether an exchange has a span that nobody else has decided about.
func (e *Exporter) Chosen() bool {
	d := e.to.Load()
	return d != nil && rand.Uint64()>>1 < d.threshold
}

// Record takes what is told of an exchange, which has ended. It never waits, and keeps
// nothing of its arguments.
func (e *Exporter) Record(p *Place, of *accesslog.Entry) {
	r := recordOf(p, of)
	select {
	case e.queue <- r:
	default:
		e.dropped.Add(1)
		records.Put(r)
	}
}

// Exported returns how many spans collectors have taken so far.
func (e *Exporter) Exported() uint64 { return e.exported.Load() }

// Dropped returns how many were lost: there was no room, or no collector took them.
func (e *Exporter) Dropped() uint64 { return e.dropped.Load() }

// Run posts spans until ctx ends, then once more what is left, for a short while.
func (e *Exporter) Run(ctx context.Context) {
	posts, give := context.WithCancel(context.WithoutCancel(ctx))
	defer give()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(e.pace.last, give) })()
	tick := time.NewTicker(e.pace.batch)
	defer tick.Stop()
	var batch []*tracepb.Span
	for ctx.Err() == nil {
		select {
		case r := <-e.queue:
			if batch = append(batch, r.span()); len(batch) < batchSize {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
		}
		if len(batch) > 0 && ctx.Err() == nil {
			batch = e.deliver(ctx, posts, batch)
		}
	}
	e.end(posts, batch)
}

// end posts what is left, once.
func (e *Exporter) end(posts context.Context, batch []*tracepb.Span) {
	for {
		for len(e.queue) > 0 && len(batch) < batchSize {
			batch = append(batch, (<-e.queue).span())
		}
		if len(batch) == 0 {
			return
		}
		e.count(batch, e.post(posts, batch))
		batch = nil
	}
}
