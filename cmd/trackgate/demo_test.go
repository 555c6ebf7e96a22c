package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// welcomed starts a demo on free ports and returns what it prints. It ends with
// the test.
func welcomed(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := demo(ctx, demoAddresses{listen: "127.0.0.1:0", admin: "127.0.0.1:0"}, in)
		in.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	var text strings.Builder
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		require.NoError(t, err, "the demo has ended: %s", text.String())
		text.WriteString(line)
		if strings.HasPrefix(line, "Metrics") {
			go io.Copy(io.Discard, r)
			return text.String()
		}
	}
}

// curlLine finds what a new user is told to type.
var curlLine = regexp.MustCompile(`curl --cacert (\S+) -d @(\S+) -H 'content-type: (\S+)' (https://localhost:\d+/track)\n`)

func TestTheLineThatTheDemoPrintsWorks(t *testing.T) {
	text := welcomed(t)
	line := curlLine.FindStringSubmatch(text)
	require.NotNil(t, line, text)
	ca, file, kind, url := line[1], line[2], line[3], line[4]
	visitor := client(t, ca)
	event, err := os.Open(filepath.Join("..", "..", file))
	require.NoError(t, err)
	defer event.Close()

	res, err := visitor.Post(url, kind, event)

	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusOK, res.StatusCode)
	var said struct{ Profile struct{ ID string } }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&said))
	assert.NotEmpty(t, said.Profile.ID)

	refusedAsTold(t, visitor, strings.TrimSuffix(url, "/track"))
	metricsAsTold(t, text)
}

func refusedAsTold(t *testing.T, visitor *http.Client, site string) {
	t.Helper()
	for request, status := range map[string]int{"GET /docs": 404, "PUT /track": 405} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequest(method, site+path, nil)
		require.NoError(t, err)
		res, err := visitor.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, status, res.StatusCode, request)
	}
}

func metricsAsTold(t *testing.T, text string) {
	t.Helper()
	url := regexp.MustCompile(`http://\S+/metrics`).FindString(text)
	res, err := http.Get(url)
	require.NoError(t, err, text)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `trackgate_requests_total{listener="public",reason="ok",status_class="2xx"} 1`)
}
