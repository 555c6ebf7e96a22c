package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
)

func TestARunningGateIsAskedHowItsBackendsAre(t *testing.T) {
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "GET /backends", r.Method+" "+r.RequestURI)
		_, _ = w.Write([]byte(`[{"pool": "collectors", "backend": "10.0.0.11:8686", "state": "down", "why": "3 checks failed: no", "weight": 1}]`))
	}))
	t.Cleanup(gate.Close)
	address := gate.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	for _, admin := range []string{address, ":" + port} {
		states := running(t.Context(), configs.Admin{Address: admin})
		assert.Equal(t, []pool.State{{Pool: "collectors", Backend: "10.0.0.11:8686", State: "down", Why: "3 checks failed: no", Weight: 1}}, states, admin)
	}
}

func TestWhatDoesNotAnswerLikeAGateIsNone(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
		"refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("[" + strings.Repeat(" ", maxAnswer)))
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			gate := httptest.NewServer(h)
			defer gate.Close()
			assert.Nil(t, running(t.Context(), configs.Admin{Address: gate.Listener.Addr().String()}))
		})
	}
	assert.Nil(t, running(t.Context(), configs.Admin{}))
}

// What runs answers, whatever the file says by now.
func TestALiveGateExplainsWhatItDoesNow(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, `hosts: ["localhost"],`, `hosts: ["localhost"], allow: [uix],`)
	ask := func(more ...string) outcome {
		return try(append([]string{"explain", "--live", "-c", g.file, "--from", "192.0.2.1"}, more...)...)
	}
	url := "https://" + strings.Replace(g.address, "127.0.0.1", "localhost", 1)
	got := ask("POST", url+"/track")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Contains(t, got.stdout, "it is next\n")
	assert.Contains(t, got.stdout, "accept  TLS name localhost leads to listener public\n")
	assert.Equal(t, exitRefused, try("explain", "-c", g.file, "--from", "192.0.2.1", "POST", url+"/track").code, "the file says otherwise")

	got = ask("-o", "json", "--forwarded-for", "198.51.100.7", "PUT", url+"/track")
	assert.Equal(t, exitRefused, got.code)
	var v proxy.Verdict
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &v))
	assert.Equal(t, "method_not_exposed", v.Reason)
	assert.Equal(t, "192.0.2.1", v.Client)

	got = ask("--listener", "nix", "GET", "/")
	assert.Equal(t, outcome{exitMistake, "", "no listener is named \"nix\": there are public\n"}, got)
}

func TestALiveGateExplainsWithoutDelay(t *testing.T) {
	g := newOperated(t)
	quickest := time.Hour
	for range 10 {
		began := time.Now()
		require.Equal(t, exitFine, try("explain", "--live", "-c", g.file, "--listener", "public", "--from", "192.0.2.1", "POST", "/track").code)
		quickest = min(quickest, time.Since(began))
	}
	t.Log("the quickest of ten took", quickest)
	assert.Less(t, quickest, 100*time.Millisecond)
}

func TestWithoutAGateThereIsNothingLive(t *testing.T) {
	p := newPlace(t)
	got := try("explain", "--live", "-c", p.settings(t), "--listener", "public", "--from", "192.0.2.1", "POST", "/track")
	assert.Equal(t, outcome{exitMistake, "", "admin.socket is empty: the gate cannot be asked to explain\n"}, got)
	p.socket = filepath.Join(t.TempDir(), "none.sock")
	got = try("explain", "--live", "-c", p.settings(t), "--listener", "public", "--from", "192.0.2.1", "POST", "/track")
	assert.Equal(t, exitFailure, got.code)
	assert.Contains(t, got.stderr, "no gate answers on admin.socket "+p.socket)
}
