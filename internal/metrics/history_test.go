package metrics

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

func TestAListenersTotals(t *testing.T) {
	s := New(Build{})
	aDay(s)
	got := s.Totals("public")
	assert.Equal(t, uint64(6), got.Requests)
	assert.Equal(t, map[string]uint64{"ok": 2, "not_exposed": 1, "backend_closed": 1, "connect_failed": 1, "client_closed": 1}, got.Reasons)
	assert.Equal(t, map[string]uint64{"none": 1, "2xx": 3, "4xx": 1, "5xx": 1}, got.Statuses)
	assert.Len(t, got.Handshakes, int(handshakeCount))
	assert.Equal(t, Totals{Reasons: map[string]uint64{}, Statuses: map[string]uint64{}, Handshakes: map[string]uint64{}}, s.Totals("quiet"))
}

func TestRefusedConnectionsAreAddedUpByCause(t *testing.T) {
	s := New(Build{})
	assert.Empty(t, s.ConnectionsRefused())
	s.Refused(":443", NoRoom)
	s.Refused(":8443", NoRoom)
	s.Refused(":443", BadProxyHeader)
	assert.Equal(t, map[string]uint64{"connections": 2, "proxy_header": 1}, s.ConnectionsRefused())
}

func TestQuantilesAreEstimatedAsPrometheusDoes(t *testing.T) {
	s := New(Build{})
	l := s.Listener("public")
	for range 50 {
		l.Observe(200, reason.OK, 0.0015)
		l.Observe(200, reason.OK, 0.2)
	}
	l.Observe(200, reason.OK, 3600)
	got := s.tally()
	assert.InDelta(t, 0.0025, *got.quantile(0.495), 0.0001)
	assert.InDelta(t, 0.1+0.15/2, *got.quantile(75 / 101.), 0.001)
	assert.Equal(t, 60., *got.quantile(1), "more is not known")
	assert.Nil(t, new(tally).quantile(0.5))
}

// lived returns a history of so many seconds in which each second brings what happens in
// it.
func lived(seconds int, happens func(second int, l *Listener)) Traffic {
	s := New(Build{})
	h, l := NewHistory(s), s.Listener("public")
	began := time.Unix(1_700_000_000, 0)
	for second := range seconds + 1 {
		h.take(began.Add(time.Duration(second) * time.Second))
		happens(second, l)
	}
	return h.Traffic()
}

func TestTheLastMinutes(t *testing.T) {
	got := lived(20, func(second int, l *Listener) {
		if second < 10 {
			l.Observe(200, reason.OK, 0.002)
			l.Observe(404, reason.NotExposed, 0)
		} else {
			l.Observe(0, reason.ClientClosed, 0)
			l.Observe(502, reason.ConnectFailed, 0)
			l.Observe(502, reason.ConnectFailed, 0)
		}
	})
	assert.Equal(t, 10., got.WindowSeconds)
	assert.Equal(t, []float64{3, 0, 2}, []float64{got.Requests, got.Refused, got.Failed})
	assert.Equal(t, []Happened{{"ok", 10, 10}, {"not_exposed", 10, 10}, {"connect_failed", 20, 20}, {"client_closed", 10, 10}}, got.Reasons)
	require.Len(t, got.History, 4)
	for i, want := range [][]float64{{2, 1, 0}, {2, 1, 0}, {3, 0, 2}, {3, 0, 2}} {
		r := got.History[i]
		assert.Equal(t, want, []float64{r.Requests, r.Refused, r.Failed}, i)
	}
	assert.NotNil(t, got.Half)
}

// However long a gate runs, it remembers five minutes, and a step that has been shown
// stays as it was.
func TestWhatIsLongAgoIsForgotten(t *testing.T) {
	for _, seconds := range []int{304, 305, 309, 1000, 1004} {
		got := lived(seconds, func(second int, l *Listener) {
			for range second / stepSamples {
				l.Observe(404, reason.NotExposed, 0)
			}
		})
		require.Len(t, got.History, steps, seconds)
		last := seconds / stepSamples
		assert.Equal(t, float64(last-1), got.History[steps-1].Refused, seconds)
		assert.Equal(t, float64(last-steps), got.History[0].Refused, seconds)
		if seconds >= 1000 {
			assert.Less(t, got.Reasons[0].Recent, got.Reasons[0].Total, seconds)
		}
	}
}

func TestNothingIsKnownBeforeTheFirstSecond(t *testing.T) {
	assert.Equal(t, Traffic{Reasons: []Happened{}, ConnectionsRefused: map[string]uint64{}, StepSeconds: 5, History: []Rates{}},
		NewHistory(New(Build{})).Traffic())
	got := lived(0, func(int, *Listener) {})
	assert.Zero(t, got.Rates)
	assert.Empty(t, got.History)
}

func TestAHistoryIsKeptBySecondUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ended := NewHistory(New(Build{})), make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			h.Run(ctx)
			close(ended)
		}()
		<-time.After(7500 * time.Millisecond)
		assert.Equal(t, 7., h.Traffic().WindowSeconds)
		stop()
		<-ended
	})
}

func BenchmarkSample(b *testing.B) {
	s := New(Build{})
	aDay(s)
	h := NewHistory(s)
	b.ReportAllocs()
	for b.Loop() {
		h.take(time.Now())
	}
}
