package standin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func running(t *testing.T) *Server {
	t.Helper()
	s, err := Start("one")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// said is an answer with its body read.
type said struct {
	*http.Response
	body string
}

func ask(t *testing.T, s *Server, r *http.Request) said {
	t.Helper()
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", s.Addr()
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return said{res, string(body)}
}

func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func TestRoutesAnswerAsTheOriginal(t *testing.T) {
	const reached = `{"backend":"one","reached":"`
	s := running(t)
	for _, c := range []struct {
		method, target, body string
		status               int
		answer               string
	}{
		{"PUT", "/track", `{"source":{}}`, 200, `null`},
		{"GET", "/healthcheck", ``, 200, `""`},
		{"POST", "/healthcheck", `a <b> "c"`, 200, `"a <b> \"c\""`},
		{"HEAD", "/healthcheck", ``, 405, ``},
		{"GET", "/track", ``, 200, reached + `/track"}`},
		{"POST", "/track/", `{}`, 200, reached + `/track/"}`},
		{"GET", "/tracker/liliput.min.js", ``, 200, reached + `/tracker/liliput.min.js"}`},
		{"POST", "/install", `{}`, 200, reached + `/install"}`},
		{"DELETE", "/a%20b?c=d", ``, 200, reached + `/a b"}`},
		{"OPTIONS", "/track", ``, 405, `{"detail":"Method Not Allowed"}`},

		{"POST", "/track", `{"source"`, 400, `{"detail":"There was an error parsing the body"}`},
		{"POST", "/track", ``, 400, `{"detail":"There was an error parsing the body"}`},
		{"POST", "/track", `{}`, 422, `{"detail":[{"loc":["body","source"],"msg":"field required"}]}`},
		{"POST", "/track", `[1]`, 422, `{"detail":[{"loc":["body","source"],"msg":"field required"}]}`},
		{"POST", "/tra%63k", `{}`, 422, `{"detail":[{"loc":["body","source"],"msg":"field required"}]}`},
		{"POST", "/track", `{"source":{},"request":null}`, 500, `{"detail":"'NoneType' object has no attribute 'headers'"}`},
		{"POST", "/track", `{"source":{},"events":7}`, 500, `{"detail":"'events' cannot be walked through"}`},
		{"POST", "/track", `{"source":{},"events":null}`, 500, `{"detail":"'events' cannot be walked through"}`},
	} {
		t.Run(c.method+" "+c.target+" "+c.body, func(t *testing.T) {
			res := ask(t, s, request(c.method, c.target, c.body))
			assert.Equal(t, c.status, res.StatusCode)
			assert.Equal(t, c.answer, res.body)
			assert.Equal(t, "one", res.Header.Get("X-Backend"))
			assert.Equal(t, "standin", res.Header.Get("Server"))
			assert.Regexp(t, `^0\.\d{6}$`, res.Header.Get("X-Process-Time"))
		})
	}
	assert.Empty(t, s.Seen(), "none of these brought an event")
}

func TestFieldsThatTestsLookAt(t *testing.T) {
	s := running(t)
	r := request("POST", "/healthcheck", `{"a":1}`)
	r.Host = "track.example.com"
	r.Header.Set("X-Request-Id", "r1")
	r.Header.Set("X-Forwarded-For", "203.0.113.7")

	res := ask(t, s, r)

	var echo struct {
		Headers map[string]string
		JSON    map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(res.body), &echo))
	assert.Equal(t, "track.example.com", echo.Headers["host"])
	assert.Equal(t, "203.0.113.7", echo.Headers["x-forwarded-for"])
	assert.Equal(t, map[string]int{"a": 1}, echo.JSON)
	assert.Equal(t, "r1", res.Header.Get("X-Seen-Request-Id"))
	assert.Equal(t, "track.example.com", s.Last().Host)
	assert.Equal(t, "203.0.113.7", s.Last().Header.Get("X-Forwarded-For"))
}

func TestAMalformedAuthorizationIsAServerError(t *testing.T) {
	s := running(t)
	for auth, status := range map[string]int{"Bearer x": 200, "x": 500, "a b c": 500} {
		r := request("GET", "/anything", "")
		r.Header.Set("Authorization", auth)
		assert.Equal(t, status, ask(t, s, r).StatusCode, auth)
	}
}

func TestAClosedOneAnswersNobody(t *testing.T) {
	s, err := Start("gone")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = net.Dial("tcp", s.Addr())
	assert.Error(t, err)
	assert.NoError(t, s.Close(), "closing twice is no mistake")
}

// pipes is a listener for connections in memory, on which time can be faked.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func TestAConnectionIdleForFiveSecondsIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := make(pipes)
		s := start("one", ln)
		client, server := net.Pipe()
		ln <- server
		r := bufio.NewReader(client)
		for range 2 {
			_, err := io.WriteString(client, "GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			res, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, `""`, string(bytes.TrimSpace(body)))
		}
		idleSince := time.Now()

		_, err := r.ReadByte()

		assert.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 5*time.Second, time.Since(idleSince))
		assert.NoError(t, s.Close())
	})
}
