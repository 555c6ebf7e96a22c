//go:build suites

package acme

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dealing is what a test does with a request to an authority, which gets it by pass.
type dealing func(w http.ResponseWriter, r *http.Request, body []byte, pass http.Handler)

// behind puts a proxy before an authority. Host stays as it is, since Pebble has its URLs
// begin with it: so all that clients ask later comes here as well.
func (a *authority) behind(t *testing.T, deal dealing) *authority {
	t.Helper()
	pass := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "https", a.address },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		ErrorLog:  log.New(io.Discard, "", 0), // clients are killed
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // to its end, or the end of the client would not be seen
		r.Body = io.NopCloser(bytes.NewReader(body))
		deal(w, r, body, pass)
	}))
	cert, err := tls.LoadX509KeyPair(a.trust, filepath.Join(a.folder, "host.key"))
	require.NoError(t, err)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	a.front = u.Host
	return a
}

// hold keeps what is asked of an authority waiting, as soon as it is armed.
type hold struct {
	path  string // that it begins with
	armed atomic.Bool
	came  chan struct{} // gets something when there is one
	over  chan struct{} // closed: nothing waits any more
}

func newHold(path string) *hold {
	return &hold{path: path, came: make(chan struct{}, 1), over: make(chan struct{})}
}

// deal drops the requests of those who do not wait for its end.
func (h *hold) deal(w http.ResponseWriter, r *http.Request, _ []byte, pass http.Handler) {
	if h.armed.Load() && strings.HasPrefix(r.URL.Path, h.path) {
		select {
		case h.came <- struct{}{}:
		default:
		}
		select {
		case <-h.over:
		case <-r.Context().Done():
			return
		}
	}
	pass.ServeHTTP(w, r)
}

// await waits for somebody to be kept waiting.
func (h *hold) await(t *testing.T) {
	t.Helper()
	select {
	case <-h.came:
	case <-time.After(patience):
		require.Fail(t, "nobody asks for "+h.path)
	}
}

// issued returns how many certificates an authority has signed.
func (a *authority) issued(t *testing.T) int {
	t.Helper()
	return strings.Count(a.process.Output(t), "Issued certificate serial")
}
