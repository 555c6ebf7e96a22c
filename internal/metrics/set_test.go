package metrics

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// scrape returns what Prometheus would read, line by line.
func scrape(t *testing.T, s *Set) []string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return strings.SplitAfter(w.Body.String(), "\n")
}

// ours returns the lines of our own families.
func ours(t *testing.T, s *Set) string {
	var out strings.Builder
	for _, line := range scrape(t, s) {
		if strings.Contains(line, "trackgate_") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestAScrapeIsAsTheContractSays(t *testing.T) {
	s := New(Build{Version: "1.2.3", Revision: "abc"})
	aDay(s)
	s.Certificate("track.example.com", time.Unix(1_800_000_000, 0))
	s.Certificate("gone.example.com", time.Unix(1, 0))
	s.RemoveCertificate("gone.example.com")
	s.Reloaded(false)
	s.Reloaded(true)
	s.Panicked()
	s.AccessLogDropped(func() uint64 { return 17 })
	s.Spans(func() uint64 { return 5 }, func() uint64 { return 6 })

	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", "metrics.golden"), []byte(ours(t, s)), 0o644))
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "metrics.golden"))
	require.NoError(t, err)
	assert.Equal(t, string(golden), ours(t, s))
}

// aDay makes one of everything happen.
func aDay(s *Set) {
	public := s.Listener("public")
	public.Opened(HTTP1)
	public.Opened(HTTP1)
	public.Closed(HTTP1)
	public.Opened(HTTP2)
	for h := range handshakeCount {
		public.Handshake(h)
	}
	public.Observe(200, reason.OK, 0.004)
	public.Observe(204, reason.OK, 0.00002)
	public.Observe(404, reason.NotExposed, 0.00003)
	public.Observe(200, reason.BackendClosed, 14)
	public.Observe(502, reason.ConnectFailed, 1.5)
	public.Observe(0, reason.ClientClosed, 75)

	pool := s.Pool("collectors")
	pool.Observe(0.0035)
	pool.Retried(reason.ConnectFailed)
	pool.Retried(reason.BackendClosed)
	s.Backend("collectors", "10.0.0.11:8686").Observe(200, reason.OK)
	s.Backend("collectors", "10.0.0.11:8686").Observe(500, reason.OK)
	s.Backend("collectors", "10.0.0.12:8686").Observe(0, reason.ConnectFailed)
	s.Backend("collectors", "10.0.0.12:8686").Up(false)
	s.Backend("collectors", "10.0.0.12:8686").TakenOut("check")
	pool.RepeatRefused()
	pool.Waiting(func() int { return 3 })
	names := s.Discovery("collectors", "be.example.com")
	names.Resolved(true, time.Unix(1_700_000_000, 0))
	names.Resolved(false, time.Unix(1_800_000_000, 0))
}

func TestNothingHappenedNothingShown(t *testing.T) {
	s := New(Build{})
	assert.NotContains(t, ours(t, s), "listener=")
	s.Listener("public")
	assert.Contains(t, ours(t, s), `trackgate_requests_total{listener="public",reason="ok",status_class="2xx"} 0`)
	assert.Equal(t, 1, strings.Count(ours(t, s), "trackgate_requests_total{"), "only what can be expected has a series")
}

func TestGoAndTheProcessAreShown(t *testing.T) {
	all := strings.Join(scrape(t, New(Build{})), "")
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "process_open_fds"} {
		assert.Contains(t, all, "\n"+name+" ")
	}
}

func TestTheSameNameIsTheSameListenerPoolAndBackend(t *testing.T) {
	s := New(Build{})
	assert.Same(t, s.Listener("a"), s.Listener("a"))
	assert.NotSame(t, s.Listener("a"), s.Listener("b"))
	assert.Same(t, s.Pool("a"), s.Pool("a"))
	assert.Same(t, s.Backend("p", "a"), s.Backend("p", "a"))
	assert.NotSame(t, s.Backend("p", "a"), s.Backend("q", "a"))
}

func TestARemovedBackendNeverComesBackByALateAnswer(t *testing.T) {
	s := New(Build{})
	held := s.Backend("p", "10.0.0.1:80")
	held.Observe(200, reason.OK)
	s.Backend("p", "10.0.0.2:80").Observe(200, reason.OK)
	s.RemoveBackend("p", "10.0.0.1:80")
	s.RemoveBackend("p", "10.0.0.9:80")

	held.Observe(200, reason.OK)
	held.Observe(502, reason.BackendMalformed)
	held.Up(false)
	held.TakenOut("check")

	assert.NotContains(t, ours(t, s), "10.0.0.1:80")
	assert.Contains(t, ours(t, s), `{backend="10.0.0.2:80",pool="p",result="2xx"} 1`)

	s.Backend("p", "10.0.0.1:80").Observe(503, reason.OK)
	assert.Contains(t, ours(t, s), `{backend="10.0.0.1:80",pool="p",result="5xx"} 1`, "one that returns begins anew")
}

func TestAnyStatusHasAClass(t *testing.T) {
	for status, want := range map[int]string{
		-1: "none", 0: "none", 99: "none", 101: "1xx", 200: "2xx", 226: "2xx",
		307: "3xx", 499: "4xx", 500: "5xx", 599: "5xx", 600: "none", 1 << 30: "none",
	} {
		assert.Equal(t, want, className(classOf(status)), status)
	}
}

func TestManyGoroutinesCountTogether(t *testing.T) {
	s := New(Build{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				s.Listener("l").Observe(403, reason.ClientNotAllowed, 0)
				s.Backend("p", "a").Observe(200, reason.OK)
			}
		})
	}
	all.Wait()
	assert.Contains(t, ours(t, s), `trackgate_requests_total{listener="l",reason="client_not_allowed",status_class="4xx"} 800`)
	assert.Contains(t, ours(t, s), `trackgate_backend_requests_total{backend="a",pool="p",result="2xx"} 800`)
}

// exchange is what the request path observes of one exchange.
func exchange(s *Set) func() {
	l, p, b := s.Listener("public"), s.Pool("collectors"), s.Backend("collectors", "10.0.0.11:8686")
	return func() {
		b.Observe(200, reason.OK)
		p.Observe(0.0031)
		l.Observe(200, reason.OK, 0.0033)
	}
}

func TestObservingAllocatesNothing(t *testing.T) {
	s := New(Build{})
	warm, l := exchange(s), s.Listener("public")
	assert.Zero(t, testing.AllocsPerRun(200, warm))
	assert.Zero(t, testing.AllocsPerRun(200, func() { l.Opened(HTTP2); l.Handshake(HandshakeResumed); l.Closed(HTTP2) }))
}

func BenchmarkExchange(b *testing.B) {
	observe := exchange(New(Build{}))
	b.ReportAllocs()
	for b.Loop() {
		observe()
	}
}

func TestHandshakesAreFoundByTheirWord(t *testing.T) {
	for h := HandshakeOK; h < handshakeCount; h++ {
		assert.Equal(t, h, HandshakeNamed(h.String()))
	}
	assert.Equal(t, HandshakeFailed, HandshakeNamed("a word that nobody knows"))
}

func TestRefusalsHaveWordsOfTheirOwn(t *testing.T) {
	s, seen := New(Build{}), map[string]bool{}
	for r := NotRefused + 1; r < refusalCount; r++ {
		s.Refused(":443", r)
		seen[r.String()] = true
		assert.Contains(t, ours(t, s), `trackgate_connections_refused_total{address=":443",cause="`+r.String()+`"} 1`)
	}
	assert.Len(t, seen, int(refusalCount)-1)
}
