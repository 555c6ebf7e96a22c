package proxy_test

import (
	"bytes"
	"crypto/tls"
	"math"
	"net"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
	"github.com/trackgate/trackgate/internal/traces"
)

// A page view as it is measured everywhere: 995 bytes there, 258 back.
var (
	pageView = strings.Repeat("x", 995)
	profile  = strings.Repeat("y", 258)
)

// frugal is a backend that answers bodies of 995 bytes and allocates nothing.
func frugal(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go answerFrugally(nc)
		}
	}()
	return l.Addr().String()
}

func answerFrugally(nc net.Conn) {
	defer nc.Close()
	answer := []byte("HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: " +
		strconv.Itoa(len(profile)) + "\r\ncontent-type: application/json\r\nx-process-time: 0.001\r\n\r\n" + profile)
	end := []byte("\r\n\r\n")
	buffer := make([]byte, 8<<10)
	for have := 0; ; {
		n, err := nc.Read(buffer[have:])
		if err != nil {
			return
		}
		have += n
		if head := bytes.Index(buffer[:have], end); head >= 0 && have == head+len(end)+len(pageView) {
			have = 0
			if _, err := nc.Write(answer); err != nil {
				return
			}
		}
	}
}

// frugalClient posts page views and allocates nothing.
type frugalClient struct {
	net.Conn
	request []byte
	buffer  []byte
	length  int // of an answer
}

func newFrugalClient(t testing.TB, nc net.Conn) *frugalClient {
	t.Helper()
	fields := append([]string{"Content-Type: application/json", "Content-Length: 995"}, trackerFields...)
	c := &frugalClient{Conn: nc, request: []byte(testbed.Head("POST /track", fields...) + pageView), buffer: make([]byte, 8<<10)}
	_, err := c.Write(c.request)
	require.NoError(t, err)
	c.length, err = c.Read(c.buffer) // an answer leaves in one write
	require.NoError(t, err)
	require.Contains(t, string(c.buffer[:c.length]), "\r\n\r\n"+profile)
	return c
}

// poster posts one event and waits for its answer.
type poster interface{ post() error }

func (c *frugalClient) post() error {
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	for have := 0; have < c.length; {
		n, err := c.Read(c.buffer[have:])
		if err != nil {
			return err
		}
		have += n
	}
	return nil
}

// TestAWarmConnectionAllocatesNothing counts everything in the process: the
// client, the gate from the first byte to the line in the log, and the backend.
// What crypto/tls allocates by itself, a reader for each record on either side, is
// taken off.
func TestAWarmConnectionAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates, and lets pools lose what they hold")
	}
	bare := allocations(t, newFrugalClient(t, bareTLS(t)))
	t.Logf("%.3f allocations for each event by crypto/tls alone", bare)
	for mode, allowed := range map[string]float64{"off": 0, "on": bare} {
		t.Run("tls "+mode, func(t *testing.T) {
			edge := testbed.Edge(t, testbed.Pool(frugal(t)), testbed.Listener("tls: "+mode), testbed.LogUnread(), testbed.Traced(rarely()))
			client := newFrugalClient(t, edge.Dial(t, testbed.Way{Plain: mode == "off"}))
			got := allocations(t, client)
			t.Logf("%.3f allocations for each event", got)
			assert.Less(t, got, allowed+0.05, "allocations for each event")
		})
	}
	t.Run("HTTP/2", func(t *testing.T) {
		edge := testbed.HTTP2.Edge(t, testbed.Pool(frugal(t)), testbed.LogUnread(), testbed.Traced(rarely()))
		got := allocations(t, newFrugalFrames(t, edge))
		t.Logf("%.3f allocations for each event", got)
		assert.Less(t, got, bare+0.05, "allocations for each event")
	})
}

// rarely is an exporter that chooses none: who is not chosen pays nothing.
func rarely() *traces.Exporter {
	e := traces.New(nil)
	e.Set(traces.Options{URL: "http://127.0.0.1:1"})
	return e
}

// bareTLS is a connection to the frugal backend over TLS, without a gate.
func bareTLS(t *testing.T) net.Conn {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		if nc, err := l.Accept(); err == nil {
			answerFrugally(nc)
		}
	}()
	nc, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	return nc
}

// allocations returns how many there are for each event, without rounding as
// testing.AllocsPerRun does. Of several rounds the best counts: on a busy machine who
// has answered may come to rest late, and somebody new takes the next event.
func allocations(t *testing.T, client poster) float64 {
	t.Helper()
	const rounds, events = 10, 300
	best := math.Inf(1)
	for range rounds {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range events {
			require.NoError(t, client.post())
		}
		runtime.ReadMemStats(&after)
		best = min(best, float64(after.Mallocs-before.Mallocs)/events)
	}
	return best
}
