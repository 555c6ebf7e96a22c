package metrics

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

// How the last minutes are kept: a sample each second, 320 bytes of it, for five minutes.
// They are shown in steps that even out what a second has by chance.
const (
	sampleInterval = time.Second
	stepSamples    = 5
	steps          = 60
	keptSamples    = steps*stepSamples + stepSamples // steps end where they did before, however late one looks
	nowSamples     = 10                              // what counts as now
)

// History remembers what a set has counted in the last minutes. The request path knows
// nothing of it: it reads the counters.
type History struct {
	set *Set

	mu      sync.Mutex
	samples [keptSamples]sample // the one before sample n is n-1, modulo their number
	taken   int
}

// sample is what had been counted at a moment.
type sample struct {
	at time.Time
	tally
}

// NewHistory returns a history of s that is empty until Run.
func NewHistory(s *Set) *History { return &History{set: s} }

// Run takes samples until ctx ends.
func (h *History) Run(ctx context.Context) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		h.take(time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *History) take(now time.Time) {
	s := sample{now, h.set.tally()}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.samples[h.taken%keptSamples] = s
	h.taken++
}

// Traffic is how it goes: at this moment, and in the last minutes.
type Traffic struct {
	Rates
	WindowSeconds      float64           `json:"window_seconds"` // that the rates are of
	Reasons            []Happened        `json:"reasons"`        // why requests ended as they did
	ConnectionsRefused map[string]uint64 `json:"connections_refused"`
	StepSeconds        float64           `json:"step_seconds"` // of the history
	History            []Rates           `json:"history"`      // the last minutes, oldest first
}

// Rates are what happened in a stretch of time. There is no duration where nothing
// happened.
type Rates struct {
	Requests float64  `json:"requests_per_second"`
	Refused  float64  `json:"refused_per_second"` // the gate said no
	Failed   float64  `json:"failed_per_second"`  // it went wrong behind the gate, or in it
	Half     *float64 `json:"p50_seconds"`
	Most     *float64 `json:"p99_seconds"`
}

// Happened is how often requests ended for a reason.
type Happened struct {
	Reason string `json:"reason"`
	Recent uint64 `json:"recent"` // in the last minutes
	Total  uint64 `json:"total"`  // since the start
}

// Traffic returns what is known by the last sample.
func (h *History) Traffic() Traffic {
	t := Traffic{
		Reasons: []Happened{}, ConnectionsRefused: h.set.ConnectionsRefused(),
		StepSeconds: (stepSamples * sampleInterval).Seconds(), History: []Rates{},
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken == 0 {
		return t
	}
	last, first := h.taken-1, max(0, h.taken-keptSamples)
	t.WindowSeconds, t.Rates = h.between(max(first, last-nowSamples), last)
	t.Reasons = happened(h.at(first).tally, h.at(last).tally)
	end := last - last%stepSamples
	for from := max(0, end-steps*stepSamples); from < end; from += stepSamples {
		_, rates := h.between(from, from+stepSamples)
		t.History = append(t.History, rates)
	}
	return t
}

func (h *History) at(n int) *sample { return &h.samples[n%keptSamples] }

// between returns what happened from one sample to another, and how long that was.
func (h *History) between(from, to int) (seconds float64, r Rates) {
	began, ended := h.at(from), h.at(to)
	seconds = ended.at.Sub(began.at).Seconds()
	if seconds <= 0 {
		return 0, r
	}
	t := ended.since(began.tally)
	return round(seconds), Rates{
		Requests: round(float64(t.sum(every)) / seconds),
		Refused:  round(float64(t.sum(refused)) / seconds),
		Failed:   round(float64(t.sum(failed)) / seconds),
		Half:     rounded(t.quantile(0.5)), Most: rounded(t.quantile(0.99)),
	}
}

// round keeps what people look at.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// rounded keeps microseconds, which is more than an estimate is worth.
func rounded(seconds *float64) *float64 {
	if seconds != nil {
		*seconds = math.Round(*seconds*1e6) / 1e6
	}
	return seconds
}

func every(reason.Reason) bool { return true }

func failed(r reason.Reason) bool { return r.Status() >= 500 }

// refused reports whether the gate said no. A client that went away was refused nothing.
func refused(r reason.Reason) bool {
	return r != reason.OK && r != reason.ClientClosed && !failed(r)
}

// happened lists the reasons that there were, in their own order.
func happened(began, ended tally) []Happened {
	list, recent := []Happened{}, ended.since(began)
	for r, total := range ended.reasons {
		if total > 0 {
			list = append(list, Happened{reason.Reason(r).String(), recent.reasons[r], total})
		}
	}
	return list
}
