//go:build suites

package suites

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script is large enough that it does not fit into the windows that clients open.
var script = strings.Repeat("window.tracker = {};\n", 16<<10)

// collector is a backend in Go that remembers what it was sent. Its answers to
// events have a trailer.
type collector struct {
	address string
	release chan struct{} // lets the answers to /held, and those behind hints, go when it is closed

	mu  sync.Mutex
	got []delivery
}

// delivery is one request as the collector got it.
type delivery struct {
	method, path string
	kind         string // the content type
	body         string
	sum          string // of the trailer fields of this name
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/track", c.track)
	mux.HandleFunc("/tracker/liliput.min.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(script)))
		io.WriteString(w, script)
	})
	mux.HandleFunc("/held", c.held)
	mux.HandleFunc("/healthcheck", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.address = server.Listener.Addr().String()
	return c
}

// track accepts an event and says how large it was, and before that what else is
// wanted, if it is asked to.
func (c *collector) track(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // not an event: it never came whole
	}
	c.keep(r, string(body))
	if r.URL.Query().Has("hints") {
		w.Header().Set("Link", "</liliput.min.js>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		<-c.release
	}
	w.Header().Set("Trailer", "X-Sum")
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"size": %d}`, len(body))
	w.Header().Set("X-Sum", fmt.Sprintf("sum-%d", len(body)))
}

// held answers when it is told to, or not at all if nobody waits any more.
func (c *collector) held(w http.ResponseWriter, r *http.Request) {
	c.keep(r, "")
	select {
	case <-c.release:
		io.WriteString(w, "held")
	case <-r.Context().Done():
	}
}

func (c *collector) keep(r *http.Request, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, delivery{r.Method, r.URL.Path, r.Header.Get("Content-Type"), body, r.Trailer.Get("X-Sum")})
}

// deliveries returns what came so far.
func (c *collector) deliveries() []delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]delivery(nil), c.got...)
}

// await waits for so many requests.
func (c *collector) await(t *testing.T, count int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(c.deliveries()) >= count }, patience, 10*time.Millisecond, "%d requests never came", count)
}

// gotOnce demands that each of these events came once, and no other.
func (c *collector) gotOnce(t *testing.T, bodies ...string) {
	t.Helper()
	var got []string
	for _, d := range c.deliveries() {
		if d.path == "/track" {
			got = append(got, d.body)
		}
	}
	if !assert.ElementsMatch(t, shortened(bodies), shortened(got)) {
		return
	}
	assert.ElementsMatch(t, bodies, got)
}

// shortened is for failures that can be read.
func shortened(texts []string) []string {
	var short []string
	for _, text := range texts {
		short = append(short, fmt.Sprintf("%.80s (%d bytes)", text, len(text)))
	}
	return short
}
