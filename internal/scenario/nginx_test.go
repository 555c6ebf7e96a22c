//go:build scenario

package scenario

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// nginx is Debian's package: a worker for each processor, connections to the backends
// kept, and as much time for workers that end as the gate takes.
//
//   - keepalive_requests: by default a connection ends after 1,000 requests, which over
//     HTTP/2 is said with one GOAWAY: what is on its way is not looked at.
//   - A worker that ends closes idle connections at once. Newer versions can wait
//     (keepalive_min_timeout, from 1.27.4), that of Debian 12 cannot.
//   - daemon on: otherwise it takes no USR2.
type nginx struct{ *stage }

const nginxSettings = `daemon on;
{{if .Root}}user root;
{{end}}worker_processes auto;
worker_shutdown_timeout 25s;
worker_rlimit_nofile 20000;
pid {{.Folder}}/pid;
error_log {{.Folder}}/error.log warn;
events { worker_connections 8000; }
http {
  access_log {{.Folder}}/access.log combined buffer=64k flush=1s;
  client_body_temp_path {{.Folder}}/body;
  proxy_temp_path {{.Folder}}/proxy;
  fastcgi_temp_path {{.Folder}}/fastcgi;
  uwsgi_temp_path {{.Folder}}/uwsgi;
  scgi_temp_path {{.Folder}}/scgi;
  keepalive_timeout 60s;
  keepalive_requests 10000000;
  upstream collectors {
    {{range .Backends}}server {{.}};
    {{end}}keepalive 64;
    keepalive_requests 10000000;
  }
  server {
    listen {{.Address}} ssl http2 backlog=4096;
    server_name localhost;
    ssl_certificate {{.Folder}}/bundle.pem;
    ssl_certificate_key {{.Folder}}/bundle.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://collectors;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_connect_timeout 1s;
    }
  }
}
`

func (n *nginx) pidFile() string { return filepath.Join(n.Folder, "pid") }

func (n *nginx) start(t *testing.T) {
	t.Helper()
	n.write(t, nginxSettings, len(n.backends))
	output, err := exec.Command(n.Binary, "-c", n.settings(), "-p", n.Folder, "-e", filepath.Join(n.Folder, "error.log")).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.True(t, await(recovery, func() bool { return pidIn(n.pidFile()) > 0 }), "nginx tells its number")
	t.Cleanup(func() { n.end(t, pidIn(n.pidFile()), syscall.SIGTERM) })
	program.AwaitListener(t, n.address)
}

// end signals a process, if there is one, and waits for its end.
func (n *nginx) end(t *testing.T, pid int, how syscall.Signal) {
	t.Helper()
	if pid == 0 || syscall.Kill(pid, how) != nil {
		return // it has ended
	}
	assert.True(t, await(recovery, func() bool { return program.IsGone(pid) }), "process %d does not end", pid)
}

func (n *nginx) reload(t *testing.T, backends int) {
	t.Helper()
	n.write(t, nginxSettings, backends)
	pid := pidIn(n.pidFile())
	renewed(t, pid, func() { n.signal(t, pid, syscall.SIGHUP) })
}

// upgrade does as "Upgrading Executable on the Fly" of the manual says: a new master
// with its workers, then the old workers are to end, then their master. Told both at
// once they lose ten times as much.
func (n *nginx) upgrade(t *testing.T) {
	t.Helper()
	before := pidIn(n.pidFile())
	n.signal(t, before, syscall.SIGUSR2)
	require.True(t, await(recovery, func() bool {
		now := pidIn(n.pidFile())
		return now > 0 && now != before && len(children(t, now)) > 0
	}), "another master with its workers")
	pause(time.Second) // while an operator looks whether all is well
	n.signal(t, before, syscall.SIGWINCH)
	await(drainTime, func() bool { return len(children(t, before)) <= 1 }) // which is the new master
	n.end(t, before, syscall.SIGQUIT)
}

func (n *nginx) leave(t *testing.T) (pid int) {
	t.Helper()
	pid = pidIn(n.pidFile())
	n.signal(t, pid, syscall.SIGQUIT)
	return pid
}
