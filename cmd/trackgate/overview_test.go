package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read asks a page over the socket.
func (g *operated) read(t *testing.T, page string) string {
	t.Helper()
	transport := &http.Transport{DialContext: atSocket(g.socket).dial, DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport}).Get("http://gate" + page)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode, "%s", text)
	return string(text)
}

// keys lists the keys of a JSON text, one a line; those of the parts of a list are as one.
func keys(t *testing.T, text string) string {
	t.Helper()
	var root any
	require.NoError(t, json.Unmarshal([]byte(text), &root))
	found := map[string]bool{}
	collectKeys(found, "", root)
	var list []string
	for key := range found {
		list = append(list, key)
	}
	slices.Sort(list)
	return strings.Join(list, "\n") + "\n"
}

func collectKeys(found map[string]bool, above string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			if found[above+key] = true; key == "handshakes" {
				continue // words, by what happened
			}
			collectKeys(found, above+key+".", below)
		}
	case []any:
		for _, below := range value {
			collectKeys(found, strings.TrimSuffix(above, ".")+"[].", below)
		}
	}
}

// Scripts rely on what is at /status and /recent, and the page does.
func TestWhatIsToldOfTheGate(t *testing.T) {
	g := newOperated(t)
	require.Equal(t, 200, g.status(t, "POST", "/track"))
	require.Equal(t, 404, g.status(t, "GET", "/secret?token=1"))
	var s status
	require.Eventually(t, func() bool {
		s = status{}
		require.NoError(t, json.Unmarshal([]byte(g.read(t, "/status")), &s))
		return len(s.Traffic.Reasons) == 2 && len(s.Traffic.History) > 0
	}, 20*time.Second, 50*time.Millisecond)

	assert.Equal(t, map[string]uint64{"ok": 1, "not_exposed": 1}, s.Listeners[0].Reasons)
	assert.Equal(t, uint64(2), s.Listeners[0].Requests)
	recent := g.read(t, "/recent")
	assert.Contains(t, recent, `"path":"/secret"`)
	assert.NotContains(t, recent, "token")
	golden(t, "status.golden", keys(t, g.read(t, "/status"))+"\n"+keys(t, recent))
	assert.Contains(t, g.read(t, "/"), "<title>trackgate</title>")
}
