package wirecheck

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// laxGate is a proxy as one would write it in an afternoon. What it lets
// through, these tests must find.
func laxGate(t *testing.T, r *recorder) gate {
	t.Helper()
	to, err := url.Parse("http://" + r.address())
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/track" {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients here make mistakes
	proxy.ErrorLog = server.Config.ErrorLog
	server.StartTLS()
	t.Cleanup(server.Close)
	return gate{open: server.Listener.Addr().String(), closed: server.Listener.Addr().String()}
}

// plainGate answers every TLS connection by answer.
func plainGate(t *testing.T, answer func(net.Conn)) gate {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS() // for its certificate alone
	config := &tls.Config{Certificates: server.TLS.Certificates}
	server.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		answer(conn)
	}()
	return gate{open: l.Addr().String()}
}

func TestALaxGateIsFoundOut(t *testing.T) {
	t.Parallel()
	findings(t, map[string]string{
		"ok-post-cl":            "",
		"ok-pipeline-20":        "",
		"path-dotdot-back":      "",
		"clte-te-first":         "the connection was left open",
		"host-unknown":          "status 200 [200], closed false, want [421 400 403 404]",
		"spoof-x-real-ip":       "the backend saw x-real-ip: 10.0.0.1",
		"under-x_forwarded_for": "a field name with an underscore: X_forwarded_for",
		"gui-deny-xff":          "status 404 [404], closed false, want [403 0]",
	})
}

func TestALaxGateIsFoundOutOverHTTP2(t *testing.T) {
	t.Parallel()
	findings(t, map[string]string{
		"h2-ok-post":              "",
		"h2-ok-two-streams":       "",
		"h2-denied-body":          "",
		"h2expect":                "",
		"h2te-chunked":            "",
		"h2f-hpack-index0":        "",
		"h2cl-headers-es":         "tolerated status 200",
		"h2inj-hv-trail-sp":       "tolerated status 200",
		"h2-authority-comma":      "status 200 [200], closed false, want [0 400 421 403 404]",
		"h2spoof-x-forwarded-for": `the backend saw X-Forwarded-For: ["10.0.0.1, 127.0.0.1"]`,
		"h2spoof-proxy":           `Proxy went to the backend: ["http://evil.example"]`,
	})
}

func TestALaxGateIsFoundOutByAFlood(t *testing.T) {
	t.Parallel()
	r := startRecorder(t)
	f := newFlood("ping", again(often, 0, frame{T: "PING", Payload: "12345678"}))
	f.TimeoutMS = 1000
	assert.Contains(t, tryClient(t, f.clientCase, laxGate(t, r), r).fails, "no connection error")
}

// findings tries the cases on a lax gate and expects what is said of each, or nothing.
func findings(t *testing.T, expected map[string]string) {
	t.Helper()
	all := loadCorpus(t)
	r := startRecorder(t)
	g := laxGate(t, r)
	for id, finding := range expected {
		v := tryClient(t, all.named(t, id), g, r)
		found := append(v.fails, v.warns...)
		if finding == "" {
			assert.Empty(t, found, id)
		} else {
			assert.Contains(t, found, finding, id)
		}
	}
}

func TestALaxGateIsFoundOutByItsBackends(t *testing.T) {
	t.Parallel()
	r := startRecorder(t)
	g := laxGate(t, r)
	for _, c := range loadCorpus(t).backend {
		switch c.ID {
		case "up-ok", "up-hop", "up-cl-long-resp":
			assert.Empty(t, tryBackend(t, c, g, r).fails, c.ID)
		case "up-header-bomb":
			assert.Equal(t, []string{"status 200 [200], closed false, want [502]"}, tryBackend(t, c, g, r).fails)
		}
	}
}
