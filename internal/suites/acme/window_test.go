//go:build suites

package acme

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newFront is in front of an authority and says some things about renewals (RFC 9773) in
// its stead: that one may ask again in two seconds instead of six hours, and to renew what
// is revoked within half an hour that is past, as Let's Encrypt does. The authority itself
// says within one second, and no time lies between two that acmez would draw from.
func newFront(t *testing.T, a *authority) (url string) {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "https", a.address
			r.Out.Host = r.In.Host // which all of its URLs begin with
		},
		Transport:      a.client().Transport,
		ModifyResponse: widen,
	}
	cert, err := tls.LoadX509KeyPair(a.trust, filepath.Join(a.folder, "host.key"))
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(proxy)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func widen(answer *http.Response) error {
	if !strings.Contains(answer.Request.URL.Path, "/renewalInfo/") || answer.StatusCode != http.StatusOK {
		return nil
	}
	var info struct {
		SuggestedWindow struct {
			Start time.Time `json:"start"`
			End   time.Time `json:"end"`
		} `json:"suggestedWindow"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		return err
	}
	if window := &info.SuggestedWindow; window.End.Before(time.Now()) {
		window.End = window.Start.Add(30 * time.Minute)
	}
	text, err := json.Marshal(info)
	answer.Body = io.NopCloser(bytes.NewReader(text))
	answer.ContentLength = int64(len(text))
	answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
	answer.Header.Set("Retry-After", "2")
	return err
}
