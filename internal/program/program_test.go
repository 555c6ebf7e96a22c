package program

import (
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStopReturnsHowItEnded(t *testing.T) {
	for script, want := range map[string]string{
		"trap 'exit 0' TERM; echo ready; while :; do read -t 1 -r _; done": "",
		"trap 'exit 3' TERM; echo ready; while :; do read -t 1 -r _; done": "exit status 3",
		"trap '' TERM; echo ready; exit 4":                                 "exit status 4",
	} {
		command := exec.Command("bash", "-c", script)
		in, err := command.StdinPipe()
		require.NoError(t, err)
		defer in.Close()
		p := Start(t, command)
		require.Eventually(t, func() bool {
			info, err := p.output.Stat()
			return err == nil && info.Size() > 0
		}, stopsWithin, 1e6)
		if err := p.Stop(); want == "" {
			assert.NoError(t, err, script)
		} else {
			assert.EqualError(t, err, want, script)
		}
	}
}

func TestFreeAddressesCanBeListenedOn(t *testing.T) {
	address := FreeAddress(t)
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	defer l.Close()
	AwaitListener(t, address)
}

func TestAProcessIsGoneBeforeItsParentKnows(t *testing.T) {
	command := exec.Command("true")
	require.NoError(t, command.Start())
	pid := command.Process.Pid
	require.Eventually(t, func() bool { return IsGone(pid) }, stopsWithin, 1e6)
	require.NoError(t, command.Wait())
	assert.True(t, IsGone(pid))
	assert.False(t, IsGone(os.Getpid()))
}

func TestNoTwoTestsGetTheSamePort(t *testing.T) {
	given := map[string]bool{}
	for range 500 {
		address := FreeAddress(t)
		require.False(t, given[address], address)
		given[address] = true
	}
}
