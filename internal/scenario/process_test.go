//go:build scenario

package scenario

import (
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/faults"
	"github.com/trackgate/trackgate/internal/program"
)

// backend is one backend of a site: a process that can end and begin again at the
// same address.
type backend struct {
	role
	name    string
	seen    string        // the address that the gate has
	between *faults.Proxy // nil: nothing
	command *exec.Cmd
	process *program.Process
}

func newBackend(t *testing.T, p plan, name string) *backend {
	t.Helper()
	b := &backend{role: p.role, name: name}
	b.Name, b.Address = name, faults.Address(t)
	b.seen = b.Address
	if p.faults {
		b.between = faults.NewProxy(t, b.Address)
		b.seen = b.between.Addr
	}
	return b
}

// start begins the process and returns once it listens.
func (b *backend) start(t *testing.T) {
	t.Helper()
	b.launch(t, os.Args[0])
	program.AwaitListener(t, b.Address)
}

// launch begins the process by a command that ends in this program.
func (b *backend) launch(t *testing.T, command ...string) {
	t.Helper()
	text, err := json.Marshal(b.role)
	require.NoError(t, err)
	b.command = exec.Command(command[0], command[1:]...)
	b.command.Env = append(os.Environ(), backendRole+"="+string(text))
	b.process = program.Start(t, b.command)
}

// stop ends it as a deployment does, when what runs is finished.
func (b *backend) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, b.process.Stop())
}

// kill ends it as the kernel does when memory is short, and returns when nothing
// is left of it.
func (b *backend) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, b.command.Process.Kill())
	b.process.Stop() // waits for the end, which is no good one
}

// freeze makes it do nothing more, without ending, until it is thawed.
func (b *backend) freeze(t *testing.T) { b.signal(t, syscall.SIGSTOP) }

func (b *backend) thaw(t *testing.T) { b.signal(t, syscall.SIGCONT) }

func (b *backend) signal(t *testing.T, s os.Signal) {
	t.Helper()
	require.NoError(t, b.command.Process.Signal(s))
}
