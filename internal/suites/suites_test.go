//go:build suites

package suites

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run returns what a command prints.
func run(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), name, arguments...).CombinedOutput()
	return strings.ReplaceAll(string(output), "\r\n", "\n"), err
}

func (s *site) curl(t *testing.T, path string, arguments ...string) string {
	t.Helper()
	arguments = append([]string{"-sS", "-i", "--path-as-is", "--cacert", s.ca(), s.url(path)}, arguments...)
	output, err := run(t, "curl", arguments...)
	require.NoError(t, err, output)
	return output
}

func TestCurlPostsAnEventToUvicorn(t *testing.T) {
	s := newSite(t, 1, 5)

	output := s.curl(t, "/track?profile_less=true", "-H", "content-type: application/json", "-H", "x-forwarded-for: 9.9.9.9",
		"-d", `{"profile": {"id": "p"}, "events": [{"id": "one"}]}`)

	head, body, _ := strings.Cut(output, "\n\n")
	assert.True(t, strings.HasPrefix(head, "HTTP/1.1 200 "), head)
	var answer struct {
		Profile struct{ ID string }
		Seen    map[string][]string
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), output)
	assert.Equal(t, "p", answer.Profile.ID)
	assert.Equal(t, []string{"127.0.0.1"}, answer.Seen["x-forwarded-for"])
	assert.Equal(t, []string{"https"}, answer.Seen["x-forwarded-proto"])
	assert.Equal(t, map[string]int{"one": 1}, s.delivered(t))
}

func TestCurlGetsNothingElse(t *testing.T) {
	s := newSite(t, 1, 5)
	for path, status := range map[string]string{
		"/": "404", "/info/version": "404", "/docs": "404", "/tra%63k": "404", "/x/../track": "404", "//track": "404", "/track": "405",
	} {
		assert.True(t, strings.HasPrefix(s.curl(t, path), "HTTP/1.1 "+status+" "), path)
	}
	assert.Empty(t, s.delivered(t))
}

func TestCurlAsksLikeABrowser(t *testing.T) {
	s := newSite(t, 1, 5)
	preflight := []string{"-X", "OPTIONS", "-H", "access-control-request-method: POST", "-H", "access-control-request-headers: content-type,x-timestamp"}

	allowed := strings.ToLower(s.curl(t, "/track", append(preflight, "-H", "origin: https://shop.example.com")...))
	refused := strings.ToLower(s.curl(t, "/track", append(preflight, "-H", "origin: https://evil.example")...))

	assert.Contains(t, allowed, "\naccess-control-allow-origin: https://shop.example.com\n")
	assert.NotContains(t, refused, "access-control-allow-origin")
}

func TestOpensslGetsOnlyModernTLS(t *testing.T) {
	s := newSite(t, 1, 5)
	for version, works := range map[string]bool{"-tls1": false, "-tls1_1": false, "-tls1_2": true, "-tls1_3": true} {
		output, err := run(t, "openssl", "s_client", "-connect", s.address, "-servername", "localhost", "-CAfile", s.ca(),
			"-verify_return_error", "-cipher", "ALL:@SECLEVEL=0", version)
		assert.Equal(t, works, err == nil, "%s\n%s", version, output)
	}
	output, err := run(t, "openssl", "s_client", "-connect", s.address, "-servername", "other.example")
	assert.Error(t, err)
	assert.Contains(t, output, "unrecognized name")
}

// A uvicorn closes connections that were idle for a second. Visitors come back
// just before, at and after that moment.
func TestNoEventIsLostToAClosingUvicorn(t *testing.T) {
	s := newSite(t, 2, 1)
	v := newVisitors(t, s)
	v.during(t, 12, func(i int) time.Duration { return 960*time.Millisecond + time.Duration(i)*7*time.Millisecond }, func() {
		<-time.After(15 * time.Second)
	})
	v.lostNothing(t)
}

func TestNoEventIsLostToARollingRestart(t *testing.T) {
	s := newSite(t, 3, 5)
	v := newVisitors(t, s)
	v.during(t, 6, func(i int) time.Duration { return time.Duration(10+i) * time.Millisecond }, func() {
		for _, u := range s.backends {
			<-time.After(2 * time.Second) // a deployment waits as well, for its readiness
			u.restart(t)
		}
		<-time.After(time.Second)
	})
	v.lostNothing(t)
}
