package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stopsWithin is how long a process may take to end when it is told to.
const stopsWithin = 30 * time.Second

// shownAtLast is how much of its output is shown when a test has failed.
const shownAtLast = 4000

// Process is a program that runs.
type Process struct {
	command *exec.Cmd
	output  *os.File
	ended   chan error // gets the one end of the process
}

// Run starts the gate on these settings. When the test ends it gets SIGTERM and
// must end well within half a minute.
func Run(t testing.TB, binary, settings string) *Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trackgate.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	p := Start(t, exec.Command(binary, "run", "-c", file))
	t.Cleanup(func() { assert.NoError(t, p.Stop(), "the end of %s", binary) })
	return p
}

// Start starts any command. What is left of it when the test ends is killed.
func Start(t testing.TB, command *exec.Cmd) *Process {
	t.Helper()
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	command.Stdout, command.Stderr = output, output
	require.NoError(t, command.Start())
	p := &Process{command: command, output: output, ended: make(chan error, 1)}
	go func() { p.ended <- command.Wait() }()
	t.Cleanup(func() { p.leave(t) })
	return p
}

// PID is the process's number, by which the system tells about it.
func (p *Process) PID() int { return p.command.Process.Pid }

// IsGone reports whether a process has ended, whether or not its parent has heard of that.
func IsGone(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}

// Stop sends SIGTERM and waits for the end, which is killed for when it does
// not come. It returns how the process ended, the first time it is called.
func (p *Process) Stop() error {
	p.command.Process.Signal(syscall.SIGTERM) // one that is gone has an end as well
	timer := time.AfterFunc(stopsWithin, func() { p.command.Process.Kill() })
	defer timer.Stop()
	err := <-p.ended
	p.ended <- nil
	return err
}

// Output returns what it has written so far.
func (p *Process) Output(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(p.output.Name())
	require.NoError(t, err)
	return string(text)
}

// leave removes what is left and, if the test failed, shows what it wrote.
func (p *Process) leave(t testing.TB) {
	p.command.Process.Kill() // no effect after Stop
	<-p.ended
	defer p.output.Close()
	if !t.Failed() {
		return
	}
	text, err := os.ReadFile(p.output.Name())
	if err == nil {
		t.Logf("%s wrote at last:\n%s", p.command.Path, text[max(0, len(text)-shownAtLast):])
	}
}
