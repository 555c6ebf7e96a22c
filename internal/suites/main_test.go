//go:build suites

package suites

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// binaryFolder names the folder where the gate's binary is kept for all tests.
const binaryFolder = "SUITES_FOLDER"

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "suites")
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

// gate builds the gate once for all tests and returns the path of its binary.
func gate(t *testing.T) string {
	t.Helper()
	built.Do(func() { program.Build(lasting{t}) })
	binary := filepath.Join(os.Getenv(binaryFolder), "trackgate")
	require.FileExists(t, binary, "the gate could not be built")
	return binary
}

var built sync.Once
