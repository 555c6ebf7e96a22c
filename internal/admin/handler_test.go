package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
)

var scraped = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("trackgate_up 1\n"))
})

func TestAnswers(t *testing.T) {
	const (
		live    = `{"status":"live"}` + "\n"
		unknown = `{"detail":"not found","reason":"not_exposed"}` + "\n"
		refused = `{"detail":"this method is not allowed here","reason":"method_not_exposed"}` + "\n"
	)
	h := NewHandler(Options{Ready: func() error { return nil }, Metrics: scraped, Pages: map[string]func() any{
		"/backends": func() any { return []string{"one"} }, "/certs": func() any { return []string{"a.example.com"} },
	}, Missing: func() []string { return nil }})
	for _, c := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/livez", 200, live},
		{"HEAD", "/livez", 200, live}, // net/http's server drops the body
		{"GET", "/livez?verbose", 200, live},
		{"GET", "/readyz", 200, `{"status":"ready"}` + "\n"},
		{"GET", "/metrics", 200, "trackgate_up 1\n"},

		{"GET", "/backends", 200, `["one"]` + "\n"},
		{"GET", "/certs", 200, `["a.example.com"]` + "\n"},
		{"DELETE", "/backends", 405, refused},

		{"GET", "//", 404, unknown},
		{"GET", "/page.js", 404, unknown},
		{"POST", "/", 405, refused},
		{"GET", "/livez/", 404, unknown},
		{"GET", "/livezz", 404, unknown},
		{"GET", "/metrics/x", 404, unknown},
		{"GET", "//livez", 404, unknown},
		{"GET", "/x/../livez", 404, unknown},
		{"GET", "/%6civez", 404, unknown},
		{"GET", "/LIVEZ", 404, unknown},
		{"GET", "http://127.0.0.1/livez", 404, unknown},
		{"POST", "/debug/pprof/", 404, unknown},

		{"POST", "/livez", 405, refused},
		{"OPTIONS", "/metrics", 405, refused},
		{"PUT", "/readyz", 405, refused},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			w := ask(h, c.method, c.target, "127.0.0.1:9180")
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, c.body, w.Body.String())
			assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
			if c.status == 405 {
				assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
			}
		})
	}
}

// ask sends a request as a page of another origin would.
func ask(h http.Handler, method, target, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	r.Header.Set("Origin", "https://evil.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestReadinessSaysWhyNot(t *testing.T) {
	why := errors.New(`pool "collectors": no backend is up`)
	h := NewHandler(Options{Ready: func() error { return why }})

	w := ask(h, "GET", "/readyz", "localhost")

	assert.Equal(t, 503, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.JSONEq(t, `{"status":"not_ready","detail":"pool \"collectors\": no backend is up"}`, w.Body.String())
	assert.Equal(t, 200, ask(h, "GET", "/livez", "localhost").Code, "not ready is not dead")
}

func TestAHostThatCouldBeAPageOfItsOwnIsRefused(t *testing.T) {
	h := NewHandler(Options{Address: "Gate.internal:9180", Ready: func() error { return nil }, Metrics: scraped})
	for host, status := range map[string]int{
		"127.0.0.1":          200,
		"127.0.0.1:9180":     200,
		"10.1.2.3:80":        200,
		"[::1]:9180":         200,
		"[::1]":              200,
		"::1":                200,
		"localhost":          200,
		"LocalHost:1":        200,
		"gate.internal:9180": 200,
		"gate.internal":      200,

		"":                      421,
		":9180":                 421,
		"evil.example":          421,
		"evil.example:9180":     421,
		"localhost.evil.com":    421,
		"localhost.":            421,
		"127.0.0.1.nip.io:9180": 421,
		"127.1":                 421,
		"gate.internal.evil":    421,
	} {
		assert.Equal(t, status, ask(h, "GET", "/metrics", host).Code, host)
	}
	assert.JSONEq(t, `{"detail":"this host is not served here; use an IP address or localhost","reason":"wrong_host"}`,
		ask(h, "GET", "/nowhere", "evil.example").Body.String(), "whatever the path")
}

func TestAnAddressWithoutAHostAllowsNoEmptyHost(t *testing.T) {
	h := NewHandler(Options{Address: ":9180"})
	assert.Equal(t, 421, ask(h, "GET", "/livez", "").Code)
}

func TestReasonsAreThoseOfTheGate(t *testing.T) {
	h := NewHandler(Options{})
	assert.Contains(t, ask(h, "GET", "/none", "localhost").Body.String(), reason.NotExposed.String())
	assert.Contains(t, ask(h, "PUT", "/livez", "localhost").Body.String(), reason.MethodNotExposed.String())
	assert.Contains(t, ask(h, "GET", "/", "evil").Body.String(), reason.WrongHost.String())
}

// An authority has to be able to come in, so the gate is ready though something is
// missing.
func TestWhatIsMissingIsSaid(t *testing.T) {
	h := NewHandler(Options{Ready: func() error { return nil }, Metrics: scraped, Missing: func() []string { return []string{"a.example.com"} }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	assert.Equal(t, 421, w.Code, "httptest asks for example.com")
	r := httptest.NewRequest("GET", "/readyz", nil)
	r.Host = "127.0.0.1"
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, `{"status":"ready","missing_certificates":["a.example.com"]}`+"\n", w.Body.String())
}
