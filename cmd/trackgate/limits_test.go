package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/cgroup"
)

// container is the file system of a container with this much memory.
func container(limit string) fs.FS {
	return fstest.MapFS{
		"proc/self/cgroup":         {Data: []byte("0::/\n")},
		"proc/self/mountinfo":      {Data: []byte("31 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n")},
		"sys/fs/cgroup/memory.max": {Data: []byte(limit + "\n")},
	}
}

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
}

// withoutMemoryLimit is a process that nobody has told how much it may use.
func withoutMemoryLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	require.NoError(t, os.Unsetenv("GOMEMLIMIT"))
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
}

func TestTheCollectorGetsFourFifthsOfTheGroup(t *testing.T) {
	limit, err := memoryLimit(environment(nil), container("536870912"))
	require.NoError(t, err)
	assert.Equal(t, cgroup.Limit{Bytes: 429496720, File: "/sys/fs/cgroup/memory.max"}, limit)
}

func TestWhoeverHasSetTheMemoryLimitKnowsBetter(t *testing.T) {
	for _, value := range []string{"1GiB", "off", ""} {
		limit, err := memoryLimit(environment(map[string]string{"GOMEMLIMIT": value}), container("536870912"))
		require.NoError(t, err)
		assert.Equal(t, cgroup.Limit{}, limit, "GOMEMLIMIT=%q", value)
	}
}

func TestWhatTheProcessMayUseIsTold(t *testing.T) {
	processors := float64(runtime.GOMAXPROCS(0))
	for limit, want := range map[string]map[string]any{
		"400000000": {
			"level": "info", "message": "what this process may use", "processors": processors,
			"memory_limit_bytes": 320000000.0, "memory_limit_by": "/sys/fs/cgroup/memory.max",
		},
		"max": {"level": "info", "message": "what this process may use", "processors": processors},
	} {
		withoutMemoryLimit(t)
		var said bytes.Buffer
		limitMemory(zerolog.New(&said), container(limit))
		got := map[string]any{}
		require.NoError(t, json.Unmarshal(said.Bytes(), &got), "one line: %s", said.String())
		assert.Equal(t, want, got)
	}
	var said bytes.Buffer
	debug.SetMemoryLimit(300 << 20)
	t.Setenv("GOMEMLIMIT", "300MiB")
	limitMemory(zerolog.New(&said), container("400000000"))
	assert.Contains(t, said.String(), `"memory_limit_bytes":314572800,"memory_limit_by":"GOMEMLIMIT"`)
}

func TestALimitThatCannotBeReadIsToldAndNotSet(t *testing.T) {
	withoutMemoryLimit(t)
	var said bytes.Buffer
	limitMemory(zerolog.New(&said), container("much"))
	assert.Contains(t, said.String(), `"level":"warn"`)
	assert.Contains(t, said.String(), `"much\" is no number of bytes"`)
	assert.Equal(t, int64(math.MaxInt64), debug.SetMemoryLimit(-1))
}

// measured is a number that the runtime tells.
func measured(name string) uint64 {
	samples := []metrics.Sample{{Name: name}}
	metrics.Read(samples)
	return samples[0].Value.Uint64()
}

// At this setting the collector would let its heap grow to 416 MiB, where the group has
// room for 64 beside what is held.
func TestTheMemoryLimitIsKeptInSpiteOfTheHeadroom(t *testing.T) {
	withoutMemoryLimit(t)
	defer debug.SetGCPercent(debug.SetGCPercent(1200))
	live := make([]byte, 32*mega)
	giveBack()
	held := measured("/memory/classes/total:bytes") - measured("/memory/classes/heap/released:bytes")
	limit := held + 64*mega
	require.Greater(t, measured("/gc/heap/goal:bytes"), 2*limit)
	limitMemory(zerolog.Nop(), container(strconv.FormatUint(limit*100/memoryShare, 10)))
	assert.LessOrEqual(t, measured("/gc/heap/goal:bytes"), limit)
	runtime.KeepAlive(live)
}

// The runtime follows the group's processors by itself, unless it is told to be as
// it was before Go 1.25.
func TestTheRuntimeFollowsTheProcessorsOfItsGroup(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	require.True(t, ok)
	for _, s := range info.Settings {
		if s.Key == "DefaultGODEBUG" {
			assert.NotContains(t, s.Value, "containermaxprocs=0")
			assert.NotContains(t, s.Value, "updatemaxprocs=0")
		}
	}
}
