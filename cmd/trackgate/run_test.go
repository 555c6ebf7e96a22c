package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/program"
)

// place is where a gate of these tests lives.
type place struct {
	address, socket, admin, storage, accessLog, backend string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return &place{
		address: program.FreeAddress(t), storage: t.TempDir(), accessLog: "off", backend: "http://127.0.0.1:9",
	}
}

func (p *place) settings(t *testing.T) string {
	t.Helper()
	return settings(t, fmt.Sprintf(`
listeners:
  - {name: public, kind: public, address: %q, hosts: ["localhost"], pool: collectors}
pools:
  - {name: collectors, backends: [%q], health: {interval: 0s}}
tls: {issuer: internal, storage: %q}
admin: {socket: %q, address: %q}
log: {access: {output: %q}}
`, p.address, p.backend, p.storage, p.socket, p.admin, p.accessLog))
}

// occupied is an address that this very process listens on.
func occupied(t *testing.T) string {
	t.Helper()
	address := program.FreeAddress(t)
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return address
}

// What goes wrong at the start is told, and nothing is left running.
func TestFailuresAtTheStart(t *testing.T) {
	holder := fmt.Sprintf("process %d)", os.Getpid())
	for name, test := range map[string]struct {
		spoil func(*place)
		want  []string
	}{
		"port in use": {
			func(p *place) { p.address = occupied(t) },
			[]string{"listener public: address ", "address already in use", "(held by ", holder},
		},
		"admin port in use": {
			func(p *place) { p.admin = occupied(t) },
			[]string{"admin.address: ", "address already in use", "(held by ", holder},
		},
		"unwritable storage": {
			func(p *place) { p.storage = filepath.Join(p.storage, "file", "below") },
			[]string{"tls.storage ", "the internal CA cannot be kept there", "not a directory"},
		},
		"unwritable access log": {
			func(p *place) { p.accessLog = filepath.Join(p.storage, "file", "access.log") },
			[]string{"log.access.output: ", "not a directory"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			require.NoError(t, os.WriteFile(filepath.Join(p.storage, "file"), nil, 0o600))
			test.spoil(p)
			got := try("run", "-c", p.settings(t))
			assert.Equal(t, exitFailure, got.code, got.stderr)
			for _, want := range test.want {
				assert.Contains(t, got.stderr, want)
			}
		})
	}
}

// A file that is not there is a mistake in the settings, with its place.
func TestMissingCertificateFile(t *testing.T) {
	p := newPlace(t)
	text, err := os.ReadFile(p.settings(t))
	require.NoError(t, err)
	file := settings(t, strings.Replace(string(text), "issuer: internal",
		`issuer: none, files: [{certificate: /none/tls.crt, key: /none/tls.key}]`, 1))
	for _, verb := range []string{"run", "check"} {
		got := try(verb, "-c", file)
		assert.Equal(t, exitMistake, got.code)
		assert.Contains(t, got.stderr, file+`:6:43: tls.files[0].certificate: "/none/tls.crt": wanted a file that can be read`)
	}
}

// gate is a gate of its own process.
type gate struct {
	*place
	command *exec.Cmd
	output  said
	ended   chan error
}

// said is what a process has written so far.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// String returns it. It may be asked for while the process runs.
func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func start(t *testing.T, binary string, p *place) *gate {
	t.Helper()
	return startOn(t, binary, p, p.settings(t))
}

// startOn starts a gate on a file with the settings of p.
func startOn(t *testing.T, binary string, p *place, file string) *gate {
	t.Helper()
	g := &gate{place: p, ended: make(chan error, 1)}
	g.command = exec.Command(binary, "run", "-c", file)
	g.command.Env = append(os.Environ(), asProgram+"=1")
	g.command.Stderr = &g.output
	require.NoError(t, g.command.Start())
	go func() { g.ended <- g.command.Wait() }()
	t.Cleanup(func() {
		g.command.Process.Kill() // no effect on one that has ended
		<-g.ended
	})
	program.AwaitListener(t, p.address)
	return g
}

// end waits for the end of the process and returns how it came.
func (g *gate) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-g.ended:
		g.ended <- nil
		return err
	case <-time.After(20 * time.Second):
		require.Fail(t, "the gate does not end")
		return nil
	}
}

// client trusts the gate's CA.
func client(t *testing.T, ca string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// slow is a backend that answers when it is let.
type slow struct {
	*httptest.Server
	arrived, answer chan struct{}
}

func newSlow(t *testing.T) *slow {
	s := &slow{arrived: make(chan struct{}), answer: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(s.arrived)
		select {
		case <-s.answer:
			w.Write([]byte(`{}`))
		case <-t.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// busy is a gate that has one request in work and was told to end.
func busy(t *testing.T, binary string, answers chan string) (*gate, *slow) {
	t.Helper()
	backend, p := newSlow(t), newPlace(t)
	p.backend = backend.URL
	g := start(t, binary, p)
	visitor := client(t, filepath.Join(p.storage, "ca.pem"))
	go func() {
		_, port, _ := net.SplitHostPort(p.address)
		res, err := visitor.Post("https://localhost:"+port+"/track", "application/json", strings.NewReader(`{}`))
		if err != nil {
			answers <- err.Error()
			return
		}
		defer res.Body.Close()
		answers <- fmt.Sprintf("%s, close: %v", res.Status, res.Close)
	}()
	select {
	case <-backend.arrived:
	case early := <-answers:
		require.Fail(t, "an answer that no backend gave", early)
	}
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", p.address)
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}, 10*time.Second, 5*time.Millisecond, "nothing new is accepted")
	return g, backend
}

func TestSignals(t *testing.T) {
	binary := program.Build(t)
	t.Run("SIGTERM lets finish what runs", func(t *testing.T) {
		answers := make(chan string, 1)
		g, backend := busy(t, binary, answers)
		close(backend.answer)
		assert.Equal(t, "200 OK, close: true", <-answers)
		assert.NoError(t, g.end(t), g.output.String())
	})
	t.Run("a second one ends at once", func(t *testing.T) {
		g, _ := busy(t, binary, make(chan string, 1))
		require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
		var exit *exec.ExitError
		require.ErrorAs(t, g.end(t), &exit)
		assert.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
	})
	t.Run("SIGINT ends as well", func(t *testing.T) {
		g := start(t, binary, newPlace(t))
		require.NoError(t, g.command.Process.Signal(os.Interrupt))
		assert.NoError(t, g.end(t), g.output.String())
	})
	t.Run("a log that nobody reads does not keep it", func(t *testing.T) {
		p := newPlace(t)
		p.accessLog = filepath.Join(t.TempDir(), "pipe")
		require.NoError(t, unix.Mkfifo(p.accessLog, 0o600))
		pipe, err := os.OpenFile(p.accessLog, os.O_RDWR, 0) // so that the gate can open it
		require.NoError(t, err)
		defer pipe.Close()
		_, err = unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, 4096)
		require.NoError(t, err)
		g := start(t, binary, p)
		visitor := client(t, filepath.Join(p.storage, "ca.pem"))
		_, port, _ := net.SplitHostPort(p.address)
		for range 40 { // some 16 kB of lines
			res, err := visitor.Get("https://localhost:" + port + "/docs")
			require.NoError(t, err)
			res.Body.Close()
		}
		require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, g.end(t))
		assert.Contains(t, g.output.String(), "last lines are lost")
	})
	t.Run("exit code of a failure", func(t *testing.T) {
		p := newPlace(t)
		p.address = occupied(t)
		err := exec.Command(binary, "run", "-c", p.settings(t)).Run()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, exitFailure, exit.ExitCode())
	})
}

// Whoever starts a gate may tell it something before it serves: a service manager that
// reloads it, say. Without anybody to wait for it such a signal ends the program.
func TestASignalOfTheFirstMomentWaits(t *testing.T) {
	p := newPlace(t)
	loaded, err := configs.Load(p.settings(t), nil)
	require.NoError(t, err)
	s, err := assemble(loaded, source{})
	require.NoError(t, err)
	defer s.close()
	for signal, waits := range map[syscall.Signal]chan os.Signal{syscall.SIGHUP: s.hangups, syscall.SIGUSR2: s.upgrades} {
		require.NoError(t, syscall.Kill(os.Getpid(), signal))
		select {
		case got := <-waits:
			assert.Equal(t, signal, got)
		case <-time.After(10 * time.Second):
			require.Fail(t, "nobody waits for "+signal.String())
		}
	}
}
