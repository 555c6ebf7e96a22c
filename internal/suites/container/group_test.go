//go:build suites

package container

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// controllers are where groups for memory can be made, and the file with their limit.
var controllers = map[string]string{
	"/sys/fs/cgroup/memory":  "memory.limit_in_bytes",
	"/sys/fs/cgroup":         "memory.max",
	"/sys/fs/cgroup/unified": "memory.max",
}

// group makes a control group with a limit, and one below it that a program can be put
// into. It returns both; the test is left out where none can be made.
func group(t *testing.T, limit int) (folder, file string) {
	t.Helper()
	for parent, name := range controllers {
		above := filepath.Join(parent, fmt.Sprintf("trackgate-%d", os.Getpid()))
		below := filepath.Join(above, "below")
		if _, err := os.Stat(filepath.Join(parent, "cgroup.procs")); err != nil || os.MkdirAll(below, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(above) })
		t.Cleanup(func() { os.Remove(below) }) // first
		file = filepath.Join(above, name)
		if os.WriteFile(file, []byte(strconv.Itoa(limit)), 0o644) == nil {
			return below, file
		}
	}
	t.Skip("no control group can be made here")
	return "", ""
}

func TestTheGateKnowsWhatItsGroupMayHave(t *testing.T) {
	folder, file := group(t, 200<<20)
	admin := program.FreeAddress(t)
	config := filepath.Join(t.TempDir(), "trackgate.yaml")
	require.NoError(t, os.WriteFile(config, []byte(settings(t, admin, ", tls: off}]")), 0o600))
	p := program.Start(t, exec.Command("sh", "-c", `echo $$ > "$0/cgroup.procs" && exec "$1" run -c "$2"`, folder, made(t), config))
	runs(t, p, admin)
	require.Contains(t, p.Output(t), fmt.Sprintf(`"memory_limit_bytes":%d,"memory_limit_by":%q`, 160<<20, file))
}
