package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/internal/program"
)

func TestAStockIsTakenOverByTrackgate(t *testing.T) {
	s := testSite(t)
	var err error
	s.Stock, err = newStock(t.Context(), t.TempDir(), 70)
	require.NoError(t, err)
	require.Len(t, s.Stock.Hosts, 70)
	require.NoError(t, s.writeSettings(stockedSettings()))

	out, err := exec.Command(program.Build(t), "check", "-c", s.settingsFile()).CombinedOutput()

	require.NoError(t, err, "%s", out)
	assert.Regexp(t, `host69\.bench\.test +acme: `+deadDirectory, string(out))
}

func TestAStockThatCannotBeWrittenIsTold(t *testing.T) {
	folder := t.TempDir()
	_, err := newStock(t.Context(), filepath.Join(folder, "none"), 1)
	require.ErrorIs(t, err, unix.ENOENT)
	_, err = newStock(t.Context(), folder, 1)
	require.NoError(t, err)
	_, err = newStock(t.Context(), folder, 1)
	require.ErrorIs(t, err, unix.EEXIST, "it would hold those of another time")
}
