//go:build scenario

package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a line of the journal tells of.
const (
	posted    = "post"
	got       = "get"
	connected = "connection"
)

// journal is a file to which all backends of a site append a line for each thing
// that happens to them: what, to whom, which id. A line is one write, so that a
// killed backend leaves whole lines.
type journal struct{ path string }

func newJournal(t *testing.T) journal {
	t.Helper()
	j := journal{filepath.Join(t.TempDir(), "journal")}
	require.NoError(t, os.WriteFile(j.path, nil, 0o600))
	return j
}

// entry is one line.
type entry struct{ what, backend, id string }

func (j journal) entries(t *testing.T) []entry {
	t.Helper()
	text, err := os.ReadFile(j.path)
	require.NoError(t, err)
	var all []entry
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		require.Len(t, fields, 3, "%q", line)
		all = append(all, entry{fields[0], fields[1], fields[2]})
	}
	return all
}

// delivered counts how often each posted event came to a backend.
func (j journal) delivered(t *testing.T) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, e := range j.entries(t) {
		if e.what == posted {
			times[e.id]++
		}
	}
	return times
}

// count says how many entries of a kind there are of each backend.
func (j journal) count(t *testing.T, what string) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, e := range j.entries(t) {
		if e.what == what {
			times[e.backend]++
		}
	}
	return times
}
