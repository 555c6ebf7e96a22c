//go:build scenario

package scenario

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// upgrade has another process take over, and ends it with the test.
func (s *site) upgrade(t *testing.T) (before int) {
	t.Helper()
	output, err := s.verb(t, "upgrade")
	require.NoError(t, err, "%s", output)
	var now int
	_, err = fmt.Sscanf(output, "process %d serves now, process %d finishes what it has", &now, &before)
	require.NoError(t, err, "%s", output)
	t.Cleanup(func() {
		syscall.Kill(now, syscall.SIGTERM) //nolint:errcheck // it may have ended
		assert.True(t, await(recovery, func() bool { return program.IsGone(now) }), "process %d does not end", now)
	})
	return before
}

// drainTime is how long a process may take for what it has, by default.
const drainTime = 25 * time.Second

func TestScenario16UpgradesUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}})
	l, long := s.load(t, heavy()), startLong(s.client, lasts(500*time.Millisecond, 8*time.Second))
	pause(baseline)
	for range 5 {
		before, handed := s.upgrade(t), time.Now()
		gone := await(drainTime+slack(), func() bool { return program.IsGone(before) })
		assert.True(t, gone, "process %d does not finish", before)
		t.Logf("the process before is gone after %s", time.Since(handed))
		pause(time.Until(handed.Add(lasts(500*time.Millisecond, 12*time.Second))))
	}
	r := append(l.stop(), long.stop()...)

	r.faultless(t, "requests")
	if soak() && !raced {
		assert.GreaterOrEqual(t, len(r), 60_000, "requests")
	}
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}

// A program that does not come up changes nothing.
func TestScenario16AnUpgradeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 2, role: role{Latency: thinks}})
	original, err := os.ReadFile(s.file)
	require.NoError(t, err)
	l := s.load(t, rate())
	pause(baseline)
	was := s.status(t)
	s.rewrite(t, string(original), "limits: {", "limits: {body: -1, ")
	_, err = s.verb(t, "upgrade")
	require.Error(t, err, "the verb reads the file as well")
	s.signal(t, was, syscall.SIGUSR2)
	pause(lasts(time.Second, 3*time.Second))
	s.rewrite(t, string(original))
	assert.Equal(t, was, s.status(t), "the same process")
	r := l.stop()
	r.faultless(t, "requests")
	s.settle(t, r)
}

// status is the process that serves.
func (s *site) status(t *testing.T) (pid int) {
	t.Helper()
	output, err := s.verb(t, "status", "-o", "json")
	require.NoError(t, err, "%s", output)
	_, rest, found := strings.Cut(output, `"pid": `)
	require.True(t, found, output)
	_, err = fmt.Sscanf(rest, "%d", &pid)
	require.NoError(t, err, rest)
	return pid
}

func (s *site) signal(t *testing.T, pid int, what syscall.Signal) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, what))
}
