package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leafFile writes the certificate of a gate as the load verb takes it.
func leafFile(t *testing.T, g gate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leaf.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.leaf}), 0o600))
	return path
}

func TestLoadSaysReadyWaitsAndReports(t *testing.T) {
	g := testGate(t, "200 OK", func(*tls.Config) {})
	o := order{scenario: scenarioVisit, gate: g, connections: 2, requests: 6}
	in, say := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- loadVerb(t.Context(), o.args(leafFile(t, g))[1:], streams{in, out, io.Discard}) }()
	lines := json.NewDecoder(hear)
	var first, last report

	require.NoError(t, lines.Decode(&first))
	_, err := io.WriteString(say, "go\n")
	require.NoError(t, err)
	require.NoError(t, lines.Decode(&last))

	require.NoError(t, <-ended)
	assert.Equal(t, report{Ready: true}, first)
	assert.Equal(t, 6, last.Requests)
	assert.Positive(t, last.Seconds)
}

func TestLoadEndsWhenNobodySaysGo(t *testing.T) {
	g := testGate(t, "200 OK", func(*tls.Config) {})
	o := order{scenario: scenarioKeepAlive, gate: g, connections: 1, requests: 1}

	err := loadVerb(t.Context(), o.args(leafFile(t, g))[1:], streams{strings.NewReader(""), io.Discard, io.Discard})

	assert.EqualError(t, err, "load: nobody said go: EOF")
}

func TestOrderSurvivesItsArguments(t *testing.T) {
	g := gate{address: "127.0.0.1:1", leaf: []byte("leaf")}
	want := order{scenario: scenarioH2Idle, gate: g, connections: 5000, streams: 1, requests: 0}

	got, err := parseOrder(want.args(leafFile(t, g))[1:], streams{err: io.Discard})

	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestLoadRefuses(t *testing.T) {
	path := leafFile(t, gate{leaf: []byte("leaf")})
	for _, row := range []struct {
		name  string
		args  []string
		fails string
	}{
		{"an unknown scenario", []string{"-certificate", path, "-scenario", "sleep"}, `unknown scenario "sleep"`},
		{"no connections", []string{"-certificate", path, "-connections", "0"}, "connections must be 1 or more, streams and requests 0 or more"},
		{"streams below zero", []string{"-certificate", path, "-streams", "-1"}, "connections must be 1 or more, streams and requests 0 or more"},
		{"an unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"an argument", []string{"now"}, "unexpected argument now"},
		{"no certificate", nil, "certificate: open : no such file or directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := loadVerb(t.Context(), row.args, streams{err: io.Discard})
			assert.EqualError(t, err, row.fails)
		})
	}
}

func TestLoadFailsWhenNobodyListens(t *testing.T) {
	address, err := freeAddress()
	require.NoError(t, err)
	var out bytes.Buffer
	o := order{scenario: scenarioKeepAlive, gate: gate{address: address, leaf: []byte("leaf")}, connections: 2}

	err = loadVerb(context.Background(), o.args(leafFile(t, o.gate))[1:], streams{out: &out, err: io.Discard})

	assert.ErrorContains(t, err, "keepalive: prepare: connect: ")
	assert.Empty(t, out.String(), "it is never ready")
}
