//go:build suites

package container

import (
	"debug/elf"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// made is the binary of `make build`.
func made(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "trackgate")
	command := exec.Command("make", "-C", top, "build", "BINARY="+binary)
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}

func TestTheBinaryIsStatic(t *testing.T) {
	f, err := elf.Open(made(t))
	require.NoError(t, err)
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries)
	for _, p := range f.Progs {
		assert.NotEqual(t, elf.PT_INTERP, p.Type, "it asks for an interpreter, which the image has not")
	}
}

// laidOut is a folder with all that the image has, each file from where the Dockerfile
// says, and these settings mounted.
func laidOut(t *testing.T, settings string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may start a program in another root")
	}
	folder := t.TempDir()
	for parent := folder; parent != os.TempDir(); parent = filepath.Dir(parent) {
		require.NoError(t, os.Chmod(parent, 0o755)) // the gate's user has to get there
	}
	sources := map[string]string{"/image/trackgate": made(t), "/image/state": ""}
	for _, c := range image(t).all("COPY") {
		words := strings.Fields(c)
		from, to := words[len(words)-2], filepath.Join(folder, words[len(words)-1])
		if source, ok := sources[from]; ok {
			from = source
		}
		put(t, from, to, strings.Contains(c, "--chown="))
	}
	put(t, "", filepath.Join(folder, "etc", "trackgate"), false)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "etc", "trackgate", "trackgate.yaml"), []byte(settings), 0o644))
	return folder
}

// put copies a file, or makes a folder where there is none, as root or as the gate's user.
func put(t *testing.T, from, to string, owned bool) {
	t.Helper()
	if from == "" {
		require.NoError(t, os.MkdirAll(to, 0o755))
	} else {
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, text, 0o755))
	}
	if owned {
		user, group := user(t)
		require.NoError(t, os.Chown(to, user, group))
	}
}

// user is whom the image is for.
func user(t *testing.T) (user, group int) {
	t.Helper()
	first, second, _ := strings.Cut(image(t).one(t, "USER"), ":")
	user, err := strconv.Atoi(first)
	require.NoError(t, err)
	group, err = strconv.Atoi(second)
	require.NoError(t, err)
	return user, group
}

// start runs what the image starts, in its own root, as its user.
func start(t *testing.T, root string) *program.Process {
	t.Helper()
	words := append(image(t).list(t, "ENTRYPOINT"), image(t).list(t, "CMD")...)
	user, group := user(t)
	command := exec.Command(words[0], words[1:]...)
	command.Dir, command.Env = "/", []string{"PATH=/"}
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot: root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(group)},
	}
	return program.Start(t, command)
}

// settings of a gate with its admin side at that address.
func settings(t *testing.T, admin, rest string) string {
	t.Helper()
	return strings.NewReplacer("LISTEN", program.FreeAddress(t), "BACKEND", program.FreeAddress(t)).Replace(`
listeners: [{name: public, kind: public, address: LISTEN, hosts: [localhost], pool: p` + rest + `
pools: [{name: p, backends: ["http://BACKEND"], health: {interval: 0s}}]
admin: {address: "` + admin + `"}
`)
}

// runs checks that a gate is ready, and ends well when it is told to.
func runs(t *testing.T, p *program.Process, admin string) {
	t.Helper()
	program.AwaitListener(t, admin)
	for _, path := range []string{"/livez", "/readyz"} {
		answer, err := http.Get("http://" + admin + path)
		require.NoError(t, err)
		answer.Body.Close()
		assert.Equal(t, http.StatusOK, answer.StatusCode, path)
	}
	assert.NoError(t, p.Stop())
}

func TestTheImageRuns(t *testing.T) {
	admin := program.FreeAddress(t)
	root := laidOut(t, settings(t, admin, "}]\ntls: {issuer: internal}"))
	runs(t, start(t, root), admin)
	assert.FileExists(t, filepath.Join(root, "var", "lib", "trackgate", "ca.pem"), "what is kept")
	assert.FileExists(t, filepath.Join(root, "etc", "ssl", "certs", "ca-certificates.crt"))
}

// As a sidecar it has nowhere to write.
func TestTheImageRunsWithoutAFolderToWriteTo(t *testing.T) {
	admin := program.FreeAddress(t)
	root := laidOut(t, settings(t, admin, ", tls: off}]"))
	require.NoError(t, os.Chown(filepath.Join(root, "var", "lib", "trackgate"), 0, 0))
	runs(t, start(t, root), admin)
}
