package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/trackgate/trackgate/internal/reason"
)

// Totals are what one listener has counted since the gate was started, for people. What
// never happened is not in a map.
type Totals struct {
	Requests   uint64            `json:"requests"`
	Reasons    map[string]uint64 `json:"reasons"`    // requests by what became of them
	Statuses   map[string]uint64 `json:"statuses"`   // requests by the class of the status sent
	Handshakes map[string]uint64 `json:"handshakes"` // by result
}

// Totals returns those of the listener with that name from the settings.
func (s *Set) Totals(listener string) Totals {
	l := s.Listener(listener)
	t := Totals{Reasons: map[string]uint64{}, Statuses: map[string]uint64{}, Handshakes: map[string]uint64{}}
	for class := range classes {
		for r := range reason.Count {
			n := counted(&l.requests[class][r])
			t.Requests += n
			add(t.Reasons, r.String(), n)
			add(t.Statuses, className(class), n)
		}
	}
	for result := range handshakeCount {
		add(t.Handshakes, result.String(), counted(&l.handshakes[result]))
	}
	return t
}

func add(to map[string]uint64, word string, n uint64) {
	if n > 0 {
		to[word] += n
	}
}

// ConnectionsRefused returns how many connections were closed before a handshake, on all
// addresses, by what stood against them.
func (s *Set) ConnectionsRefused() map[string]uint64 {
	series := make(chan prometheus.Metric)
	go func() {
		s.families.refused.Collect(series)
		close(series)
	}()
	refused := map[string]uint64{}
	for one := range series {
		var m dto.Metric
		if one.Write(&m) != nil {
			continue
		}
		for _, label := range m.Label {
			if label.GetName() == "cause" {
				add(refused, label.GetValue(), uint64(m.Counter.GetValue()))
			}
		}
	}
	return refused
}

// counted reads a counter without beginning its series.
func counted(c *lazy[prometheus.Counter]) uint64 {
	made, m := c.made.Load(), dto.Metric{}
	if made == nil || (*made).Write(&m) != nil {
		return 0
	}
	return uint64(m.Counter.GetValue())
}

// tally is what was counted on all listeners together, small enough to be kept by the
// second.
type tally struct {
	reasons   [reason.Count]uint64
	durations [len(durationBounds) + 1]uint64 // exchanges by how long they took; the last has no bound
}

// tally counts all listeners, those of settings that are no more included.
func (s *Set) tally() (t tally) {
	for _, l := range s.all() {
		for class := range classes {
			for r := range reason.Count {
				t.reasons[r] += counted(&l.requests[class][r])
			}
		}
		t.addDurations(l)
	}
	return t
}

func (t *tally) addDurations(l *Listener) {
	var m dto.Metric
	if l.duration.(prometheus.Metric).Write(&m) != nil {
		return
	}
	below := uint64(0)
	for i, bucket := range m.Histogram.Bucket {
		t.durations[i] += bucket.GetCumulativeCount() - below
		below = bucket.GetCumulativeCount()
	}
	t.durations[len(durationBounds)] += m.Histogram.GetSampleCount() - below
}

// since returns what was counted after before.
func (t tally) since(before tally) tally {
	for r := range t.reasons {
		t.reasons[r] -= before.reasons[r]
	}
	for i := range t.durations {
		t.durations[i] -= before.durations[i]
	}
	return t
}

// sum returns how many requests ended for a reason that is one of those asked for.
func (t *tally) sum(of func(reason.Reason) bool) (n uint64) {
	for r, count := range t.reasons {
		if of(reason.Reason(r)) {
			n += count
		}
	}
	return n
}

// quantile estimates how long a share of the exchanges took at most, as Prometheus would:
// within a bucket they are thought to be spread evenly. nil: there were none.
func (t *tally) quantile(share float64) *float64 {
	all := uint64(0)
	for _, n := range t.durations {
		all += n
	}
	if all == 0 {
		return nil
	}
	rank, low := share*float64(all), 0.0
	for i, high := range durationBounds {
		n := float64(t.durations[i])
		if n > 0 && rank <= n {
			low += (high - low) * rank / n
			return &low
		}
		rank, low = rank-n, high
	}
	return &low // longer than any bound
}
