package program

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Build compiles the gate as `make build` does, with further arguments of `go build`
// if there are any, and returns where it is. The binary is gone with the test.
func Build(t testing.TB, more ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "trackgate")
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-o", binary}
	if raced {
		arguments = append(arguments, "-race")
	}
	arguments = append(arguments, more...)
	output, err := exec.Command("go", append(arguments, "github.com/trackgate/trackgate/cmd/trackgate")...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}
