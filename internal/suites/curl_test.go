//go:build suites

package suites

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
	return s.curlFrom(t, os.DevNull, path, arguments...)
}

// curlFrom lets curl have a file on its standard input.
func (s *site) curlFrom(t *testing.T, file, path string, arguments ...string) string {
	t.Helper()
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close()
	arguments = append([]string{"-sS", "-i", "--http1.1", "--path-as-is", "--max-time", "20", "--cacert", s.ca(), s.url(path)}, arguments...)
	command := exec.CommandContext(t.Context(), "curl", arguments...)
	command.Stdin = in
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return strings.ReplaceAll(string(output), "\r\n", "\n")
}

func TestCurlPostsAnEventToUvicorn(t *testing.T) {
	s := newSite(t, plan{backends: 1, keepAlive: 5})

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

// event is a request's body of at least so many bytes.
func event(id string, size int) string {
	return `{"events": [{"id": "` + id + `"}], "padding": "` + strings.Repeat("x", size) + `"}`
}

// A body over the replay buffer is asked for with 100 and passed on as it comes.
func TestCurlSendsALargeEvent(t *testing.T) {
	s := newSite(t, plan{backends: 1, keepAlive: 5})
	file := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(file, []byte(event("large", 100<<10)), 0o600))
	for name, arguments := range map[string][]string{
		"expects": {"-H", "expect: 100-continue", "--data-binary", "@" + file},
		"chunked": {"-X", "POST", "-T", "-"},
	} {
		command := append([]string{"-H", "content-type: application/json"}, arguments...)
		output := s.curlFrom(t, file, "/track", command...)
		assert.True(t, strings.HasPrefix(output, "HTTP/1.1 100 "), "%s: %s", name, output) // curl expects it for chunks as well
		assert.Contains(t, output, "HTTP/1.1 200 ", name)
		assert.Contains(t, output, fmt.Sprintf(`"size":%d`, len(event("large", 100<<10))), name)
	}
	assert.Equal(t, map[string]int{"large": 2}, s.delivered(t))
}

func TestCurlAsksLikeABrowser(t *testing.T) {
	s := newSite(t, plan{backends: 1, keepAlive: 5})
	preflight := []string{"-X", "OPTIONS", "-H", "access-control-request-method: POST", "-H", "access-control-request-headers: content-type,x-timestamp"}

	allowed := strings.ToLower(s.curl(t, "/track", append(preflight, "-H", "origin: https://shop.example.com")...))
	refused := strings.ToLower(s.curl(t, "/track", append(preflight, "-H", "origin: https://evil.example")...))

	assert.Contains(t, allowed, "\naccess-control-allow-origin: https://shop.example.com\n")
	assert.NotContains(t, refused, "access-control-allow-origin")
}

func TestOpensslGetsOnlyModernTLS(t *testing.T) {
	s := newSite(t, plan{backends: 1, keepAlive: 5})
	for version, works := range map[string]bool{"-tls1": false, "-tls1_1": false, "-tls1_2": true, "-tls1_3": true} {
		output, err := run(t, "openssl", "s_client", "-connect", s.address, "-servername", "localhost", "-CAfile", s.ca(),
			"-verify_return_error", "-cipher", "ALL:@SECLEVEL=0", version)
		assert.Equal(t, works, err == nil, "%s\n%s", version, output)
	}
	output, err := run(t, "openssl", "s_client", "-connect", s.address, "-servername", "other.example")
	assert.Error(t, err)
	assert.Contains(t, output, "unrecognized name")
}
