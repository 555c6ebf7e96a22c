package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSinkWritesEverythingBeforeItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	ctx, cancel := context.WithCancel(t.Context())
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- sinkVerb(ctx, []string{"-file", path}, streams{out: out, err: io.Discard}) }()
	address, err := bufio.NewReader(hear).ReadString('\n')
	require.NoError(t, err)
	conn, err := net.Dial("tcp", strings.TrimSpace(address))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "one\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return fileText(t, path) == "one\n" }, patience, grace/1000)

	cancel()
	_, err = io.WriteString(conn, "two\n")
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	require.NoError(t, <-ended)
	assert.Equal(t, "one\ntwo\n", fileText(t, path))
}

func fileText(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestSinkNeedsAFile(t *testing.T) {
	err := sinkVerb(t.Context(), nil, streams{err: io.Discard})

	assert.ErrorIs(t, err, os.ErrNotExist)
}
