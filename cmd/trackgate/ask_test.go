package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

// verbs are those that only the socket of a gate that runs can answer.
func verbs() map[string][]string {
	return map[string][]string{
		"reload": nil, "diff": nil, "confirm": nil, "upgrade": nil, "drain": nil, "undrain": nil, "loglevel": {"debug"},
	}
}

func TestWithoutASocketNothingCanBeAskedFor(t *testing.T) {
	file := newPlace(t).settings(t)
	for verb, arguments := range verbs() {
		got := try(append([]string{verb, "-c", file}, arguments...)...)
		assert.Equal(t, exitMistake, got.code, verb)
		assert.Contains(t, got.stderr, "admin.socket is empty: the gate cannot be asked to ", verb)
	}
}

func TestNoGateAnswersOnTheSocket(t *testing.T) {
	p := newPlace(t)
	p.socket = filepath.Join(t.TempDir(), "none.sock")
	file := p.settings(t)
	for verb, arguments := range verbs() {
		got := try(append([]string{verb, "-c", file}, arguments...)...)
		assert.Equal(t, exitFailure, got.code, verb)
		assert.Contains(t, got.stderr, "no gate answers on admin.socket "+p.socket, verb)
	}
}
