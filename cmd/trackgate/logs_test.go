package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestLogsForPrograms(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(configs.Log{Level: "warn", Format: "json"}, &out, &out)

	log.Info().Msg("not worth it")
	log.Warn().Str("backend", "10.0.0.1:80").Msg("backend changed state")

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line: %s", out.String())
	assert.Equal(t, "warn", line["level"])
	assert.Equal(t, "10.0.0.1:80", line["backend"])
	assert.NotEmpty(t, line["time"])
}

// A file or a pipe gets no escape sequences.
func TestColoursOnlyOnATerminal(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(configs.Log{Level: "info", Format: "console"}, &out, &out)
	log.Error().Err(errors.New("why")).Msg("plain")
	assert.Contains(t, out.String(), "plain")
	assert.NotContains(t, out.String(), "\x1b")

	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer file.Close()
	assert.False(t, terminal(file))
	assert.False(t, terminal(&out))

	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	defer pty.Close()
	assert.True(t, terminal(pty))
}

func TestOutputsOfTheAccessLog(t *testing.T) {
	for name, want := range map[string]io.Writer{"stdout": os.Stdout, "stderr": os.Stderr, "off": io.Discard} {
		out, err := openOutput(configs.AccessLog{Output: name}, nil)
		require.NoError(t, err)
		assert.Equal(t, want, out.(kept).Writer)
		require.NoError(t, out.Reopen())
		require.NoError(t, out.Close(), "it is not ours")
	}
	_, err := os.Stdout.WriteString("")
	assert.NoError(t, err, "stdout is still open")
}
