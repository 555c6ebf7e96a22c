package main

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seenRequests keeps the fields and bodies of requests.
type seenRequests struct {
	mu     sync.Mutex
	heads  []head
	bodies []string
}

func (s *seenRequests) judge(request message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads = append(s.heads, append(head(nil), request.head...))
	s.bodies = append(s.bodies, string(request.body))
	return "200 OK"
}

// isTheEvent checks that a request says over HTTP/2 what one over HTTP/1.1 does.
func isTheEvent(t *testing.T, h head, body string) {
	t.Helper()
	assert.Equal(t, "POST /track HTTP/2.0", string(h.firstLine()))
	assert.Equal(t, eventBody(), body)
	for name, wanted := range map[string]string{
		"host": "bench.test", "user-agent": "Mozilla/5.0 (X11; Linux x86_64) trackbench", "accept": "*/*",
		"content-type": "application/json", "x-timestamp": "1792225471", "content-length": "995",
	} {
		value, _ := h.field(name)
		assert.Equal(t, wanted, string(value), name)
	}
}

func TestFloodSendsTheEventOfTheOthersAndNothingElse(t *testing.T) {
	needsItsTools(t, scenarioH2Shared)
	var seen seenRequests
	o := order{gate: judgingGate(t, func(*tls.Config) {}, seen.judge), connections: 2, streams: 3, requests: 10}
	p, err := openFlood(t.Context(), o)
	require.NoError(t, err)
	defer p.end()

	done, err := p.work(t.Context())

	require.NoError(t, err)
	assert.Equal(t, 10, done)
	require.Len(t, seen.heads, 2*3*warmUps+10)
	for i, h := range seen.heads {
		isTheEvent(t, h, seen.bodies[i])
	}
	assert.Equal(t, 7, bytes.Count(seen.heads[0], []byte("\r\n")), "%s", seen.heads[0])
}

func TestFloodFailsWhenOneAnswerIsNotThe200(t *testing.T) {
	needsItsTools(t, scenarioH2Shared)
	var asked atomic.Int64
	g := judgingGate(t, func(*tls.Config) {}, func(message) string {
		if asked.Add(1) == 25 {
			return "503 Service Unavailable"
		}
		return "200 OK"
	})
	p, err := openFlood(t.Context(), order{gate: g, connections: 1, streams: 1, requests: 40})
	require.NoError(t, err)
	defer p.end()

	_, err = p.work(t.Context())

	assert.ErrorContains(t, err, "h2load: of 40 requests: ")
	assert.ErrorContains(t, err, "with answers {ok:39 moved:0 refused:0 broken:1}")
}

func TestFloodFailsWhenTheGateDoesNotSpeakTheProtocolsOfTheComparison(t *testing.T) {
	needsItsTools(t, scenarioH2Shared)
	for name, change := range map[string]func(*tls.Config){
		"no HTTP/2":  func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} },
		"no TLS 1.3": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openFlood(t.Context(), order{gate: testGate(t, "200 OK", change), connections: 1, streams: 1, requests: 1})

			assert.ErrorContains(t, err, "h2load: tally: ")
			assert.ErrorContains(t, err, "0 succeeded, 5 failed")
		})
	}
}

func TestH2loadThatIsNotThereIsNamedWithARemedy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())

	_, err := options{scenarios: []string{scenarioKeepAlive}}.plan()
	require.NoError(t, err)
	_, err = options{scenarios: []string{scenarioKeepAlive, scenarioH2Single}}.plan()

	assert.Equal(t, useError(`no program "h2load": install it (Debian: nghttp2-client), or name other scenarios with -scenarios`), err)
}

func TestFloodTellsWhatH2loadSaidWhenItFails(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, h2loadName), []byte("#!/bin/sh\necho out of sockets >&2\nexit 3\n"), 0o700))
	t.Setenv("PATH", folder)

	_, err := openFlood(t.Context(), order{connections: 1, streams: 1})

	assert.EqualError(t, err, "h2load: exit status 3\nout of sockets\n")
}
