package health

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// settings are those of a check that loses no time.
var settings = configs.Health{Path: "/healthcheck", Status: []int{200, 204}, Interval: time.Millisecond, Timeout: 5 * time.Second, Rise: 2, Fall: 3}

// backend serves h on loopback and returns where.
func backend(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// raw says text to whoever connects and waits until the client closes; it
// returns where.
func raw(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := io.WriteString(c, text); err == nil {
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// outcome asks once; "" is a probe that passed.
func outcome(t *testing.T, s configs.Health, target Target) string {
	t.Helper()
	p, err := newProbe(s, target)
	if err == nil {
		err = p.ask(t.Context())
	}
	if err == nil {
		return ""
	}
	return words(err)
}

func TestAProbeIsAPlainQuestion(t *testing.T) {
	got := make(chan *http.Request, 1)
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) { got <- r; w.WriteHeader(204) })
	t.Setenv("HTTP_PROXY", "http://"+dead(t))

	s := settings
	s.Path = "/ready%2fnow?deep=1"
	require.Empty(t, outcome(t, s, Target{Addr: addr}))

	r := <-got
	assert.Equal(t, "GET /ready%2fnow?deep=1 HTTP/1.1", r.Method+" "+r.RequestURI+" "+r.Proto)
	assert.Equal(t, addr, r.Host)
	assert.True(t, r.Close, "connection: close")
	assert.Equal(t, http.Header{"User-Agent": {"trackgate-health/1"}, "Connection": {"close"}}, r.Header)
}

func TestTheHostIsThatOfTheSettingsOrTheBackend(t *testing.T) {
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.Host, 200) })
	named := settings
	named.Host = "tenant.example.com"
	for _, row := range []struct {
		s    configs.Health
		host string
		want string
	}{{settings, "", addr}, {settings, "be-1.internal:8686", "be-1.internal:8686"}, {named, "be-1.internal:8686", "tenant.example.com"}} {
		p, err := newProbe(row.s, Target{Addr: addr, Host: row.host})
		require.NoError(t, err)
		assert.Equal(t, row.want, p.request.Host)
		assert.NoError(t, p.ask(t.Context()))
	}
}

func TestOnlyExpectedStatusesPass(t *testing.T) {
	for status, want := range map[int]string{
		200: "",
		204: "",
		201: "status 201, wanted 200 or 204",
		302: "status 302, wanted 200 or 204",
		404: "status 404, wanted 200 or 204",
		500: "status 500, wanted 200 or 204",
		503: "status 503, wanted 200 or 204",
	} {
		addr := backend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		assert.Equal(t, want, outcome(t, settings, Target{Addr: addr}))
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	followed := false
	other := backend(t, func(http.ResponseWriter, *http.Request) { followed = true })
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+other+"/", http.StatusTemporaryRedirect)
	})

	assert.Equal(t, "status 307, wanted 200 or 204", outcome(t, settings, Target{Addr: addr}))
	assert.False(t, followed)
}

func TestWhatIsNoAnswerFails(t *testing.T) {
	for text, want := range map[string]string{
		"SSH-2.0-OpenSSH_9.2\r\n":                                        `answer: malformed HTTP response "SSH-2.0-OpenSSH_9.2"`,
		"\x00\xff\x1b]0;pwn\x07\n":                                       `answer: malformed HTTP response "\x00\xff\x1b]0;pwn\a"`,
		strings.Repeat("x", 5000) + "\r\n":                               `answer: malformed HTTP response "xxxx`,
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeadBytes):     "answer: head longer than 32768 bytes",
		strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", 1000): "answer: head longer than 32768 bytes",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":                  `answer: bad Content-Length "-1"`,
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                       "status 101, wanted 200 or 204",
	} {
		why := outcome(t, settings, Target{Addr: raw(t, text)})
		assert.Contains(t, why, want, "%.40q", text)
		assert.LessOrEqual(t, len(why), maxWhyBytes+len("..."))
	}
}

func TestAnAnswerThatIsAnnouncedIsWaitedFor(t *testing.T) {
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	assert.Empty(t, outcome(t, settings, Target{Addr: addr}))
}

func TestAnAnswerCutShortFails(t *testing.T) {
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "only this")
	})
	assert.Equal(t, "body: unexpected EOF", outcome(t, settings, Target{Addr: addr}))
}

func TestAnAnswerWithoutEndPasses(t *testing.T) {
	stopped := make(chan struct{})
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(stopped)
		for chunk := make([]byte, 32<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	begin := time.Now()
	assert.Empty(t, outcome(t, settings, Target{Addr: addr}), "the beginning says enough")
	assert.Less(t, time.Since(begin), settings.Timeout)
	<-stopped
}

func TestNobodyIsWaitedForForEver(t *testing.T) {
	impatient := settings
	impatient.Timeout = 50 * time.Millisecond
	release := make(chan struct{})
	slowBody := backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-release
	})
	for _, addr := range []string{raw(t, ""), raw(t, "HTTP/1.1 200 OK\r\n"), slowBody} {
		assert.Equal(t, "no answer within 50ms", outcome(t, impatient, Target{Addr: addr}))
	}
	close(release)
}

func TestConnectionsThatFailSaySoShortly(t *testing.T) {
	assert.Equal(t, "connect: connection refused", outcome(t, settings, Target{Addr: dead(t)}))
	assert.Contains(t, outcome(t, settings, Target{Addr: "127.0.0.1:http:x"}), "too many colons")

	gone := backend(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	assert.Equal(t, "answer: unexpected EOF", outcome(t, settings, Target{Addr: gone}))
}

func TestAPathThatCannotBeAskedForFailsEveryProbe(t *testing.T) {
	s := settings
	s.Path = "/%zz"
	assert.Equal(t, `path "/%zz" cannot be asked for: parse "/%zz": invalid URL escape "%zz"`, outcome(t, s, Target{Addr: "127.0.0.1:1"}))
}

func TestBackendsThatSpeakHTTPS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	addr := server.Listener.Addr().String()

	assert.Empty(t, outcome(t, settings, Target{Addr: addr, TLS: fixed(&tls.Config{RootCAs: roots})}))
	assert.Contains(t, outcome(t, settings, Target{Addr: addr, TLS: fixed(&tls.Config{RootCAs: x509.NewCertPool()})}), "unknown authority")
	assert.Contains(t, outcome(t, settings, Target{Addr: addr, TLS: fixed(&tls.Config{RootCAs: roots, ServerName: "tracardi.internal"})}), "tracardi.internal")
	assert.Equal(t, "status 400, wanted 200 or 204", outcome(t, settings, Target{Addr: addr}), "plain HTTP where HTTPS is spoken")
}

func TestEachProbeIsMadeWithTheTLSOfItsTime(t *testing.T) {
	asked := 0
	p, err := newProbe(settings, Target{Addr: raw(t, ""), TLS: func() *tls.Config {
		asked++
		return &tls.Config{MaxVersion: tls.VersionTLS10} // with which no handshake is even begun
	}})
	require.NoError(t, err)
	for range 3 {
		assert.ErrorContains(t, p.ask(t.Context()), "tls: no supported versions")
	}
	assert.Equal(t, 3, asked)
}

func fixed(c *tls.Config) func() *tls.Config { return func() *tls.Config { return c } }

// That a resolver is ill says nothing about a backend that was found before.
func TestANameThatCannotBeLookedUpIsProbedWhereItLed(t *testing.T) {
	s := settings
	s.Timeout = 4 * time.Second
	p, err := newProbe(s, Target{Addr: "be.invalid:80"})
	require.NoError(t, err)
	assert.Error(t, p.ask(t.Context()))
	p.last = backend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) })
	assert.NoError(t, p.ask(t.Context()))
}

func TestOnlyNamesAreRemembered(t *testing.T) {
	addr := backend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) })
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	for name, last := range map[string]string{addr: "", "localhost:" + port: addr} {
		p, err := newProbe(settings, Target{Addr: name})
		require.NoError(t, err)
		require.NoError(t, p.ask(t.Context()))
		assert.Equal(t, last, p.last)
	}
}
