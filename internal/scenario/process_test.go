//go:build scenario

package scenario

import (
	"encoding/json"
	"fmt"
	"net"
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
	python  bool          // FastAPI on uvicorn
	on      *host         // nil: here
	command *exec.Cmd
	process *program.Process
}

func newBackend(t *testing.T, p plan, number int) *backend {
	t.Helper()
	b := &backend{role: p.role, name: fmt.Sprintf("b%d", number+1), python: p.uvicorn}
	b.Name, b.Address = b.name, net.JoinHostPort(addresses(number, number+1)[0], p.port)
	if p.port == "" {
		b.Address = faults.Address(t)
	}
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
	text, err := json.Marshal(b.role)
	require.NoError(t, err)
	command := []string{os.Args[0]}
	if b.python {
		command = b.uvicorn()
	}
	if b.on != nil {
		command = b.on.inside(command...) // gives its process to this program
	}
	b.command = exec.Command(command[0], command[1:]...)
	b.command.Env = append(os.Environ(), backendRole+"="+string(text))
	b.process = program.Start(t, b.command)
	program.AwaitListener(t, b.Address)
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
