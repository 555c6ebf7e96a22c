package metrics

import "github.com/prometheus/client_golang/prometheus"

// families are the metrics by name; the contract fixes names and labels.
type families struct {
	requests          *prometheus.CounterVec
	requestDuration   *prometheus.HistogramVec
	connections       *prometheus.GaugeVec
	handshakes        *prometheus.CounterVec
	backendRequests   *prometheus.CounterVec
	backendDuration   *prometheus.HistogramVec
	backendUp         *prometheus.GaugeVec
	backendTakenOut   *prometheus.CounterVec
	retries           *prometheus.CounterVec
	retriesRefused    *prometheus.CounterVec
	resolved          *prometheus.GaugeVec
	resolvedAt        *prometheus.GaugeVec
	certificateExpiry *prometheus.GaugeVec
	certificateOrders *prometheus.GaugeVec
	reloaded          prometheus.Gauge
	panics            prometheus.Counter
	refused           *prometheus.CounterVec
}

func newFamilies() families {
	return families{
		requests: counters("trackgate_requests_total",
			"Exchanges that ended, by the class of the status sent (none: nothing was sent) and the reason.", "listener", "status_class", "reason"),
		requestDuration: durations("trackgate_request_duration_seconds",
			"From the first byte of a request to the last of its answer.", "listener"),
		connections: gauges("trackgate_connections",
			"Open connections of clients.", "listener", "protocol"),
		handshakes: counters("trackgate_handshakes_total",
			"TLS handshakes that ended, by result.", "listener", "result"),
		backendRequests: counters("trackgate_backend_requests_total",
			"Attempts, by the status class of the answer or, where none came, the reason.", "pool", "backend", "result"),
		backendDuration: durations("trackgate_backend_duration_seconds",
			"From the beginning of an attempt to the end of its answer.", "pool"),
		backendUp: gauges("trackgate_backend_up",
			"Whether a backend is given work (1) or not (0).", "pool", "backend"),
		backendTakenOut: counters("trackgate_backend_taken_out_total",
			"Times a backend was taken out of its pool, by what spoke against it.", "pool", "backend", "cause"),
		retries: counters("trackgate_retries_total",
			"Attempts after the first of an exchange, by what became of the one before.", "pool", "cause"),
		retriesRefused: counters("trackgate_retries_refused_total",
			"Repetitions that did not take place because too many ran already.", "pool"),
		resolved: gauges("trackgate_discovery_successful",
			"Whether the last lookup of a name that stands for backends worked (1) or not (0): then those found before stay.", "pool", "name"),
		resolvedAt: gauges("trackgate_discovery_last_success_timestamp_seconds",
			"When a name that stands for backends was last looked up with success.", "pool", "name"),
		certificateExpiry: gauges("trackgate_certificate_expiry_timestamp_seconds",
			"When the certificate served for a host expires.", "host"),
		certificateOrders: gauges("trackgate_certificate_order_failures",
			"How many orders of a host's certificate failed in a row, the last one included; 0: none did.", "host"),
		reloaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trackgate_config_last_reload_successful",
			Help: "Whether the settings could be loaded the last time that was tried (1) or not (0).",
		}),
		refused: counters("trackgate_connections_refused_total",
			"Connections that were closed before a handshake, by what stood against them.", "address", "cause"),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trackgate_panics_total",
			Help: "Connections that were closed for a mistake in the program: the log says where it is.",
		}),
	}
}

func (f *families) all() []prometheus.Collector {
	return []prometheus.Collector{
		f.requests, f.requestDuration, f.connections, f.handshakes, f.backendRequests,
		f.backendDuration, f.backendUp, f.retries, f.certificateExpiry, f.certificateOrders, f.reloaded,
		f.panics, f.refused, f.backendTakenOut, f.retriesRefused, f.resolved, f.resolvedAt,
	}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// durationBounds go from a refusal's time to the longest answer of a GUI API: /track takes
// some milliseconds, and 13 s when a lock is held.
var durationBounds = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}

func durations(name, help string, labels ...string) *prometheus.HistogramVec {
	bounds := durationBounds
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds[:]}, labels)
}

func buildInfo(b Build) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "trackgate_build_info",
		Help:        "Always 1; the labels say which trackgate this is.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision},
	})
	g.Set(1)
	return g
}
