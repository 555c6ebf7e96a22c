//go:build suites

package acme

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// binaryFolder names the folder where binaries are kept for all tests.
const binaryFolder = "ACME_FOLDER"

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "acme")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	os.Setenv(binaryFolder, folder)
	return m.Run()
}

// lasting is a test whose folder outlives it.
type lasting struct{ testing.TB }

func (lasting) TempDir() string { return os.Getenv(binaryFolder) }

var built sync.Once

// binary returns the path of trackgate, pebble or pebble-challtestsrv. They are built once
// for all tests, the authority from a module of its own.
func binary(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv(binaryFolder)
	built.Do(func() {
		program.Build(lasting{t})
		command := exec.CommandContext(t.Context(), "go", "build", "-o", folder+"/",
			"github.com/letsencrypt/pebble/v2/cmd/pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv")
		command.Dir = filepath.Join("testdata", "pebble")
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s", output)
	})
	file := filepath.Join(folder, name)
	require.FileExists(t, file, "it could not be built")
	return file
}
