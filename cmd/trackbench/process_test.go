package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// someCore is one that this process may run on.
func someCore(t *testing.T) int {
	t.Helper()
	var allowed unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &allowed))
	for core := range 1024 {
		if allowed.IsSet(core) {
			return core
		}
	}
	t.Fatal("no core")
	return 0
}

func TestProcessRunsOnItsCoreAndWeDoNot(t *testing.T) {
	var before, after unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	var out bytes.Buffer
	core := someCore(t)

	p, err := command{name: "grep", argv: []string{"grep", "Cpus_allowed_list", "/proc/self/status"}, core: core, out: &out}.start()

	require.NoError(t, err)
	<-p.ended
	require.NoError(t, p.err)
	words := strings.Fields(out.String())
	require.Len(t, words, 2)
	assert.Equal(t, []string{"Cpus_allowed_list:", strconv.Itoa(core)}, words)
	require.NoError(t, unix.SchedGetaffinity(0, &after))
	assert.Equal(t, before, after)
}

func TestStopEndsTheChildrenToo(t *testing.T) {
	hear, out := io.Pipe()
	argv := []string{"sh", "-c", "sleep 1000 & echo $!; wait"}
	p, err := command{name: "sh", argv: argv, core: someCore(t), out: out}.start()
	require.NoError(t, err)
	line := make([]byte, 16)
	_, err = hear.Read(line)
	require.NoError(t, err)
	pids, err := tree(p.pid())
	require.NoError(t, err)
	require.Len(t, pids, 2)

	p.stop()

	assert.Error(t, p.err, "it was ended by a signal")
	require.Eventually(t, func() bool {
		_, err := os.ReadFile("/proc/" + strings.TrimSpace(string(bytes.Trim(line, "\x00"))) + "/smaps_rollup")
		return err != nil
	}, grace, grace/100)
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	hear, out := io.Pipe()
	argv := []string{"sh", "-c", "trap '' TERM; echo ready; while true; do sleep 1000; done"}
	p, err := command{name: "sh", argv: argv, core: someCore(t), out: out}.start()
	require.NoError(t, err)
	_, err = hear.Read(make([]byte, 16))
	require.NoError(t, err)

	p.stop()

	assert.Equal(t, syscall.SIGKILL, p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestStartNamesWhatFailed(t *testing.T) {
	_, err := command{name: "nginx", argv: []string{"/nowhere/nginx"}, core: someCore(t)}.start()
	assert.ErrorContains(t, err, "nginx: fork/exec /nowhere/nginx: no such file")

	_, err = command{name: "nginx", argv: []string{"true"}, core: 1000}.start()
	assert.ErrorContains(t, err, "nginx: core 1000: invalid argument")
}
