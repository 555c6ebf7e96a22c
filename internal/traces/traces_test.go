package traces

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/internal/testtraces"
)

// fast is a pace for tests.
func fast() pace {
	return pace{batch: 10 * time.Millisecond, first: 10 * time.Millisecond, long: 20 * time.Millisecond, patience: 300 * time.Millisecond, last: time.Second}
}

// run lets an exporter work until the returned func is called, which waits for its end.
func run(t *testing.T, e *Exporter) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		e.Run(ctx)
		close(done)
	}()
	end = func() {
		cancel()
		<-done
	}
	t.Cleanup(end)
	return end
}

func aPlace() *Place {
	p := &Place{}
	copy(p.Trace[:], "4bf92f3577b34da6a3ce929d0e0e4736")
	copy(p.Parent[:], "00f067aa0ba902b7")
	copy(p.Span[:], "b7ad6b7169203331")
	return p
}

func anEntry() *accesslog.Entry {
	return &accesslog.Entry{
		Time: time.Unix(1_900_000_000, 5).UTC(), Duration: 1500 * time.Millisecond, Listener: "public", Client: netip.MustParseAddr("::ffff:192.0.2.7"),
		Protocol: "HTTP/2.0", Method: []byte("POST"), Host: []byte("track.test:8443"), Path: []byte("/track?email=alice"), Status: 502, Reason: reason.ConnectFailed,
		BytesIn: 10, BytesOut: 20, Backend: "10.0.0.11:8686", Attempts: 2, BackendDuration: time.Second, TLS: "1.3",
		RequestID: []byte("abc"), UserAgent: []byte("agent \xff\x00" + strings.Repeat("x", 5000)),
	}
}

// values are attributes as a map.
func values(list []*commonpb.KeyValue) map[string]any {
	all := map[string]any{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[a.Key] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			all[a.Key] = v.DoubleValue
		}
	}
	return all
}

func TestASpanSaysWhatTheLogSays(t *testing.T) {
	c := testtraces.Start(t, nil)
	e := New(nil)
	e.pace = fast()
	e.Set(Options{URL: c.URL + "/v1/traces", Sample: 1, Service: "edge", Version: "1.2.3", Fields: http.Header{"Authorization": {"Bearer x"}}})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	require.Eventually(t, func() bool { return e.Exported() == 1 }, 10*time.Second, time.Millisecond)
	end()

	s := c.Spans()[0]
	assert.Equal(t, "POST", s.Name)
	assert.Equal(t, tracepb.Span_SPAN_KIND_SERVER, s.Kind)
	assert.Equal(t, []byte{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36}, s.TraceId)
	assert.Equal(t, []byte{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}, s.ParentSpanId)
	assert.Equal(t, []byte{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}, s.SpanId)
	assert.Equal(t, uint32(0x301), s.Flags)
	assert.Equal(t, uint64(1_500_000_000), s.EndTimeUnixNano-s.StartTimeUnixNano)
	assert.Equal(t, tracepb.Status_STATUS_CODE_ERROR, s.Status.Code)
	got := values(s.Attributes)
	agent := got["user_agent.original"].(string)
	assert.True(t, strings.HasPrefix(agent, "agent \uFFFD\x00xxx") && len(agent) < 1100, "%.40q", agent)
	delete(got, "user_agent.original")
	assert.Equal(t, map[string]any{
		"http.request.method": "POST", "url.scheme": "https", "url.path": "/track", "server.address": "track.test", "server.port": int64(8443), "client.address": "192.0.2.7",
		"network.protocol.name": "http", "network.protocol.version": "2", "http.response.status_code": int64(502), "error.type": "connect_failed",
		"http.request.body.size": int64(10), "http.response.body.size": int64(20), "trackgate.listener": "public", "trackgate.reason": "connect_failed",
		"trackgate.request_id": "abc", "trackgate.backend": "10.0.0.11:8686", "trackgate.attempts": int64(2), "trackgate.backend_seconds": 1.0,
	}, got)
	of := values(c.Posts()[0].Data.ResourceSpans[0].Resource.Attributes)
	assert.Equal(t, "edge", of["service.name"])
	assert.Equal(t, "1.2.3", of["service.version"])
	assert.Equal(t, "Bearer x", c.Posts()[0].Header.Get("Authorization"))
	assert.Equal(t, "application/x-protobuf", c.Posts()[0].Header.Get("Content-Type"))
	assert.Equal(t, "/v1/traces", c.Posts()[0].URL.Path)
}

func TestASpanOfLittle(t *testing.T) {
	p := aPlace()
	p.Parent = [16]byte{}
	s := spanOf(p, &accesslog.Entry{Protocol: "HTTP/1.1", Method: []byte("BREW"), Status: 200})
	assert.Equal(t, "HTTP", s.Name)
	assert.Empty(t, s.ParentSpanId)
	assert.Equal(t, uint32(0x101), s.Flags)
	assert.Nil(t, s.Status)
	got := values(s.Attributes)
	assert.Equal(t, "_OTHER", got["http.request.method"])
	assert.Equal(t, "BREW", got["http.request.method_original"])
	assert.Equal(t, "1.1", got["network.protocol.version"])
	assert.Equal(t, "http", got["url.scheme"])
	for _, key := range []string{"trackgate.backend", "user_agent.original", "server.port"} {
		assert.NotContains(t, got, key)
	}

	s = spanOf(p, &accesslog.Entry{Protocol: "HTTP/1.1", Method: []byte("GET"), Status: 503})
	assert.Equal(t, "503", values(s.Attributes)["error.type"], "a backend's own")
}

func TestWhatIsLeftIsPostedInTheEnd(t *testing.T) {
	c := testtraces.Start(t, nil)
	e := New(nil)
	e.Set(Options{URL: c.URL, Sample: 1}) // whose time has not come
	end := run(t, e)
	for range batchSize + 10 {
		e.Record(aPlace(), anEntry())
	}
	end()
	assert.Len(t, c.Spans(), batchSize+10)
	assert.Equal(t, uint64(batchSize+10), e.Exported())
}

func TestAFullQueueDropsAndCounts(t *testing.T) {
	e := New(nil)
	e.Set(Options{URL: "http://127.0.0.1:1", Sample: 1})
	for range queueSize + 3 {
		e.Record(aPlace(), anEntry())
	}
	assert.Equal(t, uint64(3), e.Dropped())
}

func TestACollectorThatIsBusyIsAskedAgain(t *testing.T) {
	for _, status := range []int{429, 502, 503, 504} {
		c := testtraces.Start(t, func(w http.ResponseWriter, n int) {
			if n < 3 {
				w.WriteHeader(status)
			}
		})
		var said []error
		e := New(func(err error) { said = append(said, err) })
		e.pace = fast()
		e.Set(Options{URL: c.URL, Sample: 1})
		end := run(t, e)
		e.Record(aPlace(), anEntry())
		require.Eventually(t, func() bool { return e.Exported() == 1 }, 10*time.Second, time.Millisecond, "%d", status)
		end()
		assert.Len(t, c.Posts(), 3)
		require.Len(t, said, 2, "when it begins to fail, and when it works again")
		assert.ErrorContains(t, said[0], "the collector answered ")
		assert.NoError(t, said[1])
		assert.Zero(t, e.Dropped())
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	res := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"7"}}}
	v := judge(res, nil)
	assert.True(t, v.again)
	assert.Equal(t, 7*time.Second, v.wait)
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	for field, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, "99999999": longestRest, "-5": 0, "": 0, "soon": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
		now.Add(100 * time.Hour).Format(http.TimeFormat): longestRest,
	} {
		assert.Equal(t, want, retryAfter(field, now), field)
	}
}

// Who asks for a longer rest than a batch is kept is left alone, whatever comes meanwhile.
func TestACollectorMayRest(t *testing.T) {
	c := testtraces.Start(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	e := New(nil)
	e.pace = fast()
	e.Set(Options{URL: c.URL, Sample: 1})
	run(t, e)
	e.Record(aPlace(), anEntry())
	require.Eventually(t, func() bool { return e.Dropped() == 1 }, 10*time.Second, time.Millisecond)
	for range batchSize + 10 {
		e.Record(aPlace(), anEntry())
	}
	require.Eventually(t, func() bool { return e.Dropped() == batchSize+1 }, 10*time.Second, time.Millisecond, "there is no room for more than a batch")
	assert.Len(t, c.Posts(), 1)

	other := testtraces.Start(t, nil)
	e.Set(Options{URL: other.URL, Sample: 1})
	e.Record(aPlace(), anEntry())
	require.Eventually(t, func() bool { return e.Exported() == 11 }, 10*time.Second, time.Millisecond, "another one knows of no rest")
}

func TestWhatACollectorRefusesIsDropped(t *testing.T) {
	for _, status := range []int{301, 400, 401, 404, 500} {
		c := testtraces.Start(t, func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
		})
		e := New(nil)
		e.pace = fast()
		e.Set(Options{URL: c.URL, Sample: 1})
		end := run(t, e)
		e.Record(aPlace(), anEntry())
		require.Eventually(t, func() bool { return e.Dropped() == 1 }, 10*time.Second, time.Millisecond, "%d", status)
		end()
		assert.Len(t, c.Posts(), 1)
	}
}

func TestPatienceEnds(t *testing.T) {
	e := New(nil)
	e.pace = fast()
	e.Set(Options{URL: "http://127.0.0.1:1", Sample: 1}) // nobody is there
	run(t, e)
	e.Record(aPlace(), anEntry())
	require.Eventually(t, func() bool { return e.Dropped() == 1 }, 10*time.Second, time.Millisecond)
}

// A collector that hangs must not keep the gate from its end.
func TestTheEndIsNotHeldUp(t *testing.T) {
	held := make(chan struct{})
	c := testtraces.Start(t, func(http.ResponseWriter, int) { <-held })
	defer close(held)
	e := New(nil)
	e.pace = fast()
	e.pace.last = 50 * time.Millisecond
	e.Set(Options{URL: c.URL, Sample: 1})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	require.Eventually(t, func() bool { return len(e.queue) == 0 }, 10*time.Second, time.Millisecond)
	e.Record(aPlace(), anEntry())
	end() // which would never come
	assert.Equal(t, uint64(2), e.Dropped())
}

// A collector that is well, and whose gate ends in the middle of a post.
func TestTheEndDisturbsNoPost(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	c := testtraces.Start(t, func(http.ResponseWriter, int) {
		close(begun)
		<-goOn
	})
	var said []error
	e := New(func(err error) { said = append(said, err) })
	e.pace = fast()
	e.pace.last = time.Minute
	e.Set(Options{URL: c.URL, Sample: 1})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	<-begun
	time.AfterFunc(20*time.Millisecond, func() { close(goOn) })
	end()
	assert.Equal(t, uint64(1), e.Exported())
	assert.Len(t, c.Posts(), 1)
	assert.Empty(t, said)
}

func TestHosts(t *testing.T) {
	for authority, want := range map[string][2]any{
		"a.test": {"a.test", int64(0)}, "a.test:443": {"a.test", int64(443)}, "[::1]": {"::1", int64(0)}, "[::1]:8443": {"::1", int64(8443)},
		"": {"", int64(0)}, ":": {":", int64(0)}, "a:b": {"a:b", int64(0)}, "[": {"[", int64(0)}, "a:99999": {"a:99999", int64(0)},
	} {
		host, port := hostOf([]byte(authority))
		assert.Equal(t, want, [2]any{string(host), port}, authority)
	}
}

func TestWhatIsRejectedIsCounted(t *testing.T) {
	part := protowire.AppendVarint(protowire.AppendTag(nil, rejectedField, protowire.VarintType), 1)
	part = protowire.AppendString(protowire.AppendTag(part, messageField, protowire.BytesType), "too old")
	answer := protowire.AppendBytes(protowire.AppendTag(nil, partialField, protowire.BytesType), part)
	c := testtraces.Start(t, func(w http.ResponseWriter, _ int) { w.Write(answer) })
	var said error
	e := New(func(err error) { said = err })
	e.Set(Options{URL: c.URL, Sample: 1})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	e.Record(aPlace(), anEntry())
	end()
	assert.Equal(t, uint64(1), e.Dropped())
	assert.Equal(t, uint64(1), e.Exported())
	assert.EqualError(t, said, `the collector rejected 1 spans: "too old"`)
}

func FuzzPartialSuccess(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0x04, 0x08, 0x01, 0x12, 0x00})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		rejected, why := partialSuccess(answer)
		assert.GreaterOrEqual(t, rejected, 0)
		assert.LessOrEqual(t, len(why), 500)
	})
}

func TestTheShareThatIsChosen(t *testing.T) {
	e := New(nil)
	assert.False(t, e.Chosen())
	assert.False(t, e.On())
	assert.False(t, (*Exporter)(nil).On())
	for share, bounds := range map[float64][2]int{0: {0, 0}, 1: {10_000, 10_000}, .1: {850, 1150}, -1: {0, 0}, 2: {10_000, 10_000}} {
		e.Set(Options{URL: "http://127.0.0.1:1", Sample: share})
		chosen := 0
		for range 10_000 {
			if e.Chosen() {
				chosen++
			}
		}
		assert.True(t, bounds[0] <= chosen && chosen <= bounds[1], "%v: %d", share, chosen)
	}
	e.Set(Options{})
	assert.False(t, e.On())
}

func TestWhatIsTurnedOffIsDropped(t *testing.T) {
	var said []error
	e := New(func(err error) { said = append(said, err) })
	e.Set(Options{URL: "http://127.0.0.1:1", Sample: 1})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	e.Set(Options{})
	end()
	assert.Equal(t, uint64(1), e.Dropped())
	assert.Empty(t, said)
}

func TestTheSameOptionsChangeNothing(t *testing.T) {
	e, roots := New(nil), x509.NewCertPool()
	o := Options{URL: "http://127.0.0.1:1", Sample: .5, Fields: http.Header{"A": {"b"}}, Roots: roots}
	e.Set(o)
	was := e.to.Load()
	o.Fields, o.Roots = http.Header{"A": {"b"}}, roots.Clone()
	e.Set(o)
	assert.Same(t, was, e.to.Load())
	o.Sample = .6
	e.Set(o)
	assert.NotSame(t, was, e.to.Load())
}

func TestTheCollectorsCertificateIsChecked(t *testing.T) {
	c := testtraces.StartTLS(t)
	for _, roots := range []*x509.CertPool{nil, x509.NewCertPool()} {
		var said []error
		e := New(func(err error) { said = append(said, err) })
		e.pace = fast()
		e.Set(Options{URL: c.URL, Sample: 1, Roots: roots})
		end := run(t, e)
		e.Record(aPlace(), anEntry())
		require.Eventually(t, func() bool { return e.Dropped() == 1 }, 10*time.Second, time.Millisecond)
		end()
		var unknown x509.UnknownAuthorityError
		assert.True(t, errors.As(said[0], &unknown), "%v", said[0])
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.Certificate())
	e := New(nil)
	e.Set(Options{URL: c.URL, Sample: 1, Roots: roots})
	end := run(t, e)
	e.Record(aPlace(), anEntry())
	end()
	assert.Equal(t, uint64(1), e.Exported())
}

// What an exchange pays that is chosen; the queue is emptied beside it.
func BenchmarkRecord(b *testing.B) {
	e, p, of := New(nil), aPlace(), anEntry()
	of.UserAgent = []byte("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	b.ReportAllocs()
	for b.Loop() {
		e.Record(p, of)
		records.Put(<-e.queue)
	}
}

func TestARecordKeepsNothing(t *testing.T) {
	of := anEntry()
	r := recordOf(aPlace(), of)
	clear(of.Path)
	clear(of.UserAgent)
	got := values(r.span().Attributes)
	assert.Equal(t, "/track", got["url.path"])
	assert.Equal(t, "abc", got["trackgate.request_id"])
	assert.Contains(t, got["user_agent.original"], "agent ")
}

// What is done later, where no request waits: a span is made and written.
func BenchmarkSpan(b *testing.B) {
	e, p, of := New(nil), aPlace(), anEntry()
	e.Set(Options{URL: "http://127.0.0.1:1"})
	of.UserAgent = []byte("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	b.ReportAllocs()
	for b.Loop() {
		batch := make([]*tracepb.Span, batchSize)
		for i := range batch {
			batch[i] = recordOf(p, of).span()
		}
		if _, err := e.to.Load().encode(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchSize), "ns/span")
}

// And one that is not.
func BenchmarkChosen(b *testing.B) {
	e := New(nil)
	e.Set(Options{URL: "http://127.0.0.1:1", Sample: .01})
	for b.Loop() {
		e.Chosen()
	}
}
