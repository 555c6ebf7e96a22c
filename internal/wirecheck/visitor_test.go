package wirecheck

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// visitor is a client as most are: it sends one event after the other on one
// connection, and has done no harm.
type visitor struct {
	client *http.Client
	proto  int
	dials  atomic.Int32
}

// visitorTarget tells its requests from those of others.
const visitorTarget = "/track?visitor"

// pace is how often a visitor comes.
const pace = 20 * time.Millisecond

// mostPatience is how long a visit may take.
const mostPatience = 30 * time.Second

// newVisitor speaks HTTP/1.1 or HTTP/2 to g until the test ends.
func newVisitor(t *testing.T, g gate, proto int) *visitor {
	t.Helper()
	v := &visitor{proto: proto}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		v.dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, g.open)
	}
	config := &tls.Config{InsecureSkipVerify: true, ServerName: publicHost}
	v.client = &http.Client{Transport: &kept{dial: dial, config: config}}
	if proto == 2 {
		v.client = &http.Client{Timeout: mostPatience,
			Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: config, DialContext: dial}}
	}
	t.Cleanup(v.client.CloseIdleConnections)
	return v
}

// kept sends one request after the other on one HTTP/1.1 connection and leaves it only
// when the gate does. http.Transport also leaves those on which its own goroutines were
// not scheduled for 50 ms, which happens here and is not the gate's doing.
type kept struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	config *tls.Config
	conn   *tls.Conn
	r      *bufio.Reader
}

func (k *kept) RoundTrip(req *http.Request) (*http.Response, error) {
	if k.conn == nil {
		nc, err := k.dial(req.Context(), "tcp", "")
		if err != nil {
			return nil, err
		}
		k.conn = tls.Client(nc, k.config)
		k.r = bufio.NewReader(k.conn)
	}
	k.conn.SetDeadline(time.Now().Add(mostPatience)) //nolint:errcheck // a closed connection fails at the write that follows
	if err := req.Write(k.conn); err != nil {
		k.CloseIdleConnections()
		return nil, err
	}
	res, err := http.ReadResponse(k.r, req)
	if err != nil || res.Close {
		k.CloseIdleConnections()
	}
	return res, err
}

func (k *kept) CloseIdleConnections() {
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// tour is what became of many visits.
type tour struct {
	took   []time.Duration
	failed []string
}

// walk visits until stop is closed, and at least a few times. But for the first time,
// its connection must be there already.
func (v *visitor) walk(stop <-chan struct{}) tour {
	var all tour
	dials := max(v.dials.Load(), 1)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		all.visit(v)
		select {
		case <-stop:
			if all.visits() >= 5 {
				if again := v.dials.Load() - dials; again > 0 {
					all.failed = append(all.failed, fmt.Sprintf("connected %d times more", again))
				}
				return all
			}
		default:
		}
		<-tick.C
	}
}

func (a *tour) visits() int { return len(a.took) + len(a.failed) }

// visit is one visit.
func (a *tour) visit(v *visitor) {
	start := time.Now()
	if err := v.ask(); err != nil {
		a.failed = append(a.failed, err.Error())
		return
	}
	a.took = append(a.took, time.Since(start))
}

// ask sends one event. It is a POST, which no client sends again by itself.
func (v *visitor) ask() error {
	res, err := v.client.Post("https://"+publicHost+visitorTarget, "application/json", strings.NewReader(`{"event": 1}`))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != 200 || res.ProtoMajor != v.proto || len(body) == 0) {
		err = fmt.Errorf("%s %d with %d bytes", res.Proto, res.StatusCode, len(body))
	}
	return err
}

func (a tour) String() string {
	return fmt.Sprintf("%d visits, p50 %s, p99 %s", a.visits(), a.percentile(50), a.percentile(99))
}

func (a tour) percentile(p int) time.Duration {
	if len(a.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(a.took))
	return sorted[(len(sorted)*p+99)/100-1].Round(10 * time.Microsecond)
}

func TestVisitorsSeeWhatGoesWrong(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	r := startRecorder(t)
	g := laxGate(t, r)
	for proto := 1; proto <= 2; proto++ {
		assert.Empty(t, newVisitor(t, g, proto).walk(stop).failed)
	}

	hurried := newVisitor(t, g, 1)
	hurried.client.Transport = closing{hurried.client.Transport}
	assert.Equal(t, []string{"connected 4 times more"}, hurried.walk(stop).failed)

	r.play(script{closes, "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"})
	assert.Contains(t, newVisitor(t, g, 2).walk(stop).failed, "HTTP/2.0 500 with 0 bytes")
}

// closing has the gate end the connection with each answer.
type closing struct{ http.RoundTripper }

func (c closing) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Close = true
	return c.RoundTripper.RoundTrip(req)
}

func TestPercentilesOfATour(t *testing.T) {
	a := tour{took: []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}, failed: []string{"no"}}
	assert.Equal(t, "4 visits, p50 2ms, p99 3ms", a.String())
	assert.Equal(t, time.Duration(0), tour{}.percentile(99))
}
