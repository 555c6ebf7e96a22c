package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build is what trackgate_build_info tells.
type Build struct {
	Version  string
	Revision string
}

// Set is all metrics of one gate. Its methods may be called by any number of
// goroutines at once.
type Set struct {
	registry *prometheus.Registry
	families families

	mu        sync.Mutex
	listeners map[string]*Listener
	pools     map[string]*Pool
	backends  map[backendKey]*Backend
}

// New returns a set in which nothing has happened yet.
func New(build Build) *Set {
	s := &Set{
		registry:  prometheus.NewRegistry(),
		families:  newFamilies(),
		listeners: make(map[string]*Listener),
		pools:     make(map[string]*Pool),
		backends:  make(map[backendKey]*Backend),
	}
	s.registry.MustRegister(s.families.all()...)
	s.registry.MustRegister(collectors.NewGoCollector(), buildInfo(build),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// Handler answers a scrape.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// Certificate says until when the certificate served for host is valid.
func (s *Set) Certificate(host string, notAfter time.Time) {
	s.families.certificateExpiry.WithLabelValues(host).Set(float64(notAfter.Unix()))
}

// CertificateOrders says how many orders for host have failed in a row.
func (s *Set) CertificateOrders(host string, failures int) {
	s.families.certificateOrders.WithLabelValues(host).Set(float64(failures))
}

// RemoveCertificate ends the series of a host that is not served any more.
func (s *Set) RemoveCertificate(host string) {
	s.families.certificateExpiry.DeleteLabelValues(host)
	s.families.certificateOrders.DeleteLabelValues(host)
}

// Reloaded says whether the last attempt to load the settings worked. The
// first load counts.
func (s *Set) Reloaded(ok bool) {
	s.families.reloaded.Set(truth(ok))
}

// Panicked counts a connection that was closed for a mistake in the program.
func (s *Set) Panicked() { s.families.panics.Inc() }

// AccessLogDropped shows the lines that the access log lost. dropped is called
// at each scrape; AccessLogDropped itself is called once.
func (s *Set) AccessLogDropped(dropped func() uint64) {
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "trackgate_access_log_dropped_total",
		Help: "Lines of the access log that were lost because its output was slow or broken.",
	}, func() float64 { return float64(dropped()) }))
}

// Spans shows what has become of the spans for a collector of traces. It is called once,
// its arguments at each scrape.
func (s *Set) Spans(exported, dropped func() uint64) {
	for result, count := range map[string]func() uint64{"exported": exported, "dropped": dropped} {
		s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "trackgate_spans_total",
			Help:        "Spans for the collector of traces, by what became of them. A dropped one found no room, or no collector took it.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(count()) }))
	}
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
