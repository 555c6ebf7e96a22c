//go:build suites

package suites

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// open is what tracardi-api answers to anybody who reaches it, and some ways to
// spell what is allowed.
var open = map[string][]string{
	"PUT":     {"/track"},
	"GET":     {"/track", "/", "/collect/page-view/source", "/redirect/1", "/consents/types", "/consents/type/ids", "/consents/type/by_tag", "/consents/type/enabled", "/event/logs/1", "/flow/logs/1", "/node/logs/1", "/info/version", "/info/versions", "/info/version/details", "/install", "/install/plugins", "/install/demo", "/healthcheck", "/openapi.json", "/docs", "/redoc", "/documentation/index.html", "/manual/en", "/demo/index.html", "/tracker/liliput.min.js", "/uix/index.js"},
	"POST":    {"/collect/page-view/source", "/redirect/1", "/customer/consent", "/install", "/healthcheck", "/user/token", "/user/logout", "/tenant/install", "/tra%63k", "/%74rack", "//track", "/track//", "/x/../track", "/./track", "/track/../docs", "/TRACK", "/trackx", "/track;x=1", "/track%2f", "/track%00"},
	"DELETE":  {"/redirect/1", "/healthcheck", "/track"},
	"HEAD":    {"/healthcheck", "/track"},
	"PATCH":   {"/track"},
	"OPTIONS": {"/healthcheck", "/docs"},
}

func TestNothingElseReachesUvicorn(t *testing.T) {
	s := newSite(t, plan{backends: 1, keepAlive: 5})
	for method, paths := range open {
		for _, path := range paths {
			status := s.status(t, method, path)
			require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status, "%s %s", method, path)
		}
	}
	require.Empty(t, s.delivered(t), "what reached a backend")
}

// status is what a request is answered that no client has touched up.
func (s *site) status(t *testing.T, method, target string) int {
	t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.roots(t), ServerName: "localhost"})
	require.NoError(t, err)
	defer conn.Close()
	body := `{"events": []}`
	if !strings.HasPrefix(method, "P") {
		body = ""
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", method, target, len(body), body)
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}
