package configs_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

var update = flag.Bool("update", false, "write what bad files are told instead of comparing it")

// Each file in testdata/bad has one mistake, and beside it a text with exactly
// what the operator reads.
func TestBadFilesAreToldExactlyThis(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(file, nil)
			var mistakes configs.Mistakes
			require.True(t, errors.As(err, &mistakes), "%v", err)
			for _, m := range mistakes {
				require.Positive(t, m.Line)
				require.Positive(t, m.Column)
			}
			said := strings.ReplaceAll(err.Error(), "testdata/bad/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(said), 0o644))
			}
			wanted, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(wanted), said)
		})
	}
}
