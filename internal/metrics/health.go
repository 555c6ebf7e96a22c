package metrics

import dto "github.com/prometheus/client_model/go"

// Health is what tells whether the gate does well, since its start.
type Health struct {
	Requests         float64
	Failed           float64 // answered with a 5xx
	Handshakes       float64
	FailedHandshakes float64 // those that came to nothing for another reason than the client's leaving
}

// Health adds up what is counted. It looks at all series: it is not for the request path.
func (s *Set) Health() (h Health, err error) {
	families, err := s.registry.Gather()
	if err != nil {
		return h, err
	}
	for _, f := range families {
		switch f.GetName() {
		case "trackgate_requests_total":
			h.Requests, h.Failed = shares(f, func(l map[string]string) bool { return l["status_class"] == "5xx" })
		case "trackgate_handshakes_total":
			h.Handshakes, h.FailedHandshakes = shares(f, func(l map[string]string) bool { return !wellKnown()[l["result"]] })
		}
	}
	return h, nil
}

// wellKnown are the results of handshakes that say nothing against the gate.
func wellKnown() map[string]bool {
	return map[string]bool{
		HandshakeOK.String(): true, HandshakeResumed.String(): true, "client_closed": true, "timeout": true, "not_tls": true,
	}
}

// shares returns the sum of a counter's series, and of those that are wanted.
func shares(f *dto.MetricFamily, wanted func(map[string]string) bool) (all, some float64) {
	for _, m := range f.GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		all += m.GetCounter().GetValue()
		if wanted(labels) {
			some += m.GetCounter().GetValue()
		}
	}
	return all, some
}

// Since returns what has happened since an earlier look.
func (h Health) Since(before Health) Health {
	return Health{
		h.Requests - before.Requests, h.Failed - before.Failed,
		h.Handshakes - before.Handshakes, h.FailedHandshakes - before.FailedHandshakes,
	}
}
