//go:build scenario

package scenario

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// haproxy is Debian's package in master-worker mode, with a thread for each processor:
// one signal to the master is its reload and, as the master executes its program anew,
// its upgrade. As much time is left to workers that end as the gate takes.
//
//   - expose-fd listeners: the new worker has the sockets of the old one.
//   - idle-close-on-response: a worker that ends leaves idle connections their last
//     request, and closes none in the face of its client.
//   - Without "grace": it would keep sockets open for load balancers at the end, but
//     must not be used where there are reloads, says the manual.
type haproxy struct {
	*stage
	process *program.Process
}

const haproxySettings = `global
  maxconn 8000
  hard-stop-after 25s
  stats socket {{.Folder}}/stats.sock mode 600 level admin expose-fd listeners
  log stdout format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  log global
  option httplog
  option http-keep-alive
  option idle-close-on-response
  option redispatch
  timeout connect 1s
  timeout client 60s
  timeout http-request 10s
  timeout http-keep-alive 60s
  timeout server 30s
frontend public
  bind {{.Address}} ssl crt {{.Folder}}/bundle.pem alpn h2,http/1.1 backlog 4096
  http-request set-header X-Forwarded-For %[src]
  default_backend collectors
backend collectors
  option httpchk GET /healthcheck
  default-server check inter 300ms
{{range $i, $address := .Backends}}  server b{{$i}} {{$address}}
{{end}}`

func (h *haproxy) start(t *testing.T) {
	t.Helper()
	h.write(t, haproxySettings, len(h.backends))
	h.process = program.Start(t, exec.Command(h.Binary, "-W", "-f", h.settings()))
	t.Cleanup(func() { h.process.Stop() }) // SIGTERM ends its workers as well; it says 143
	program.AwaitListener(t, h.address)
}

func (h *haproxy) reload(t *testing.T, backends int) {
	t.Helper()
	h.write(t, haproxySettings, backends)
	h.upgrade(t)
}

func (h *haproxy) upgrade(t *testing.T) {
	t.Helper()
	renewed(t, h.process.PID(), func() { h.signal(t, h.process.PID(), syscall.SIGUSR2) })
}

func (h *haproxy) leave(t *testing.T) (pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(h.process.PID(), syscall.SIGUSR1))
	return h.process.PID()
}
