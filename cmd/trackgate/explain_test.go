package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
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
