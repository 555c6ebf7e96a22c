//go:build suites

package service

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is where the Makefile is.
const root = "../../.."

// needs skips a test where a program is not there.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not on this machine", name)
		}
	}
}

func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	output, err := exec.Command(name, arguments...).CombinedOutput()
	require.NoError(t, err, "%s %q: %s", name, arguments, output)
	return string(output)
}

// build returns a package of the tree as it is.
func build(t *testing.T) string {
	t.Helper()
	needs(t, "dpkg-deb")
	folder := t.TempDir()
	run(t, "make", "-C", root, "deb", "DIST="+folder, "VERSION=v1.2.3-4-gabcdef0")
	return filepath.Join(folder, "trackgate_1.2.3+4+gabcdef0_"+runtime.GOARCH+".deb")
}

// contents returns the modes of what is in a package, by path.
func contents(t *testing.T, file string) map[string]os.FileMode {
	t.Helper()
	archive, err := exec.Command("dpkg-deb", "--fsys-tarfile", file).Output()
	require.NoError(t, err)
	modes := map[string]os.FileMode{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return modes
		}
		require.NoError(t, err)
		assert.Equal(t, "root:root", head.Uname+":"+head.Gname, head.Name)
		if head.Typeflag == tar.TypeReg {
			modes[filepath.Clean("/"+head.Name)] = head.FileInfo().Mode()
		}
	}
}

func TestThePackageHasWhatAServiceNeeds(t *testing.T) {
	deb := build(t)

	modes := contents(t, deb)
	for path, mode := range map[string]os.FileMode{
		"/usr/bin/trackgate":                             0o755,
		"/usr/lib/systemd/system/trackgate.service":      0o644,
		"/usr/lib/sysusers.d/trackgate.conf":             0o644,
		"/etc/trackgate/trackgate.yaml":                  0o640,
		"/usr/share/trackgate/before-253.conf":           0o644,
		"/usr/share/doc/trackgate/copyright":             0o644,
		"/usr/share/doc/trackgate/reference.yaml":        0o644,
		"/usr/share/doc/trackgate/CHANGELOG.md":          0o644,
		"/usr/share/doc/trackgate/trackgate.schema.json": 0o644,
	} {
		assert.Equal(t, mode, modes[path], path)
	}
	field := func(name string) string { return run(t, "dpkg-deb", "--field", deb, name) }
	assert.Equal(t, "trackgate\n", field("Package"))
	assert.Equal(t, "1.2.3+4+gabcdef0\n", field("Version"))
	assert.Equal(t, "/etc/trackgate/trackgate.yaml\n", run(t, "dpkg-deb", "--info", deb, "conffiles"))
	assert.Contains(t, run(t, "dpkg-deb", "--info", deb, "postinst"), "systemd-sysusers trackgate.conf")
	assert.Contains(t, run(t, "dpkg-deb", "--info", deb, "prerm"), "disable --now")

	whole := t.TempDir()
	run(t, "dpkg-deb", "--extract", deb, whole)
	assert.Contains(t, run(t, filepath.Join(whole, "usr/bin/trackgate"), "version"), "v1.2.3-4-gabcdef0")
	run(t, filepath.Join(whole, "usr/bin/trackgate"), "check", "-c", filepath.Join(whole, "etc/trackgate/trackgate.yaml"))
}

// What `make install` puts below a DESTDIR is what the package has, and the unit finds
// the program where it is.
func TestInstall(t *testing.T) {
	for _, prefix := range []string{"/usr", "/usr/local"} {
		folder := t.TempDir()
		run(t, "make", "-C", root, "install", "DESTDIR="+folder, "PREFIX="+prefix)
		unit, err := os.ReadFile(filepath.Join(folder, prefix, "lib/systemd/system/trackgate.service"))
		require.NoError(t, err)
		assert.Contains(t, string(unit), "\nExecStart="+prefix+"/bin/trackgate run -c /etc/trackgate/trackgate.yaml\n")
		for _, path := range []string{"bin/trackgate", "lib/sysusers.d/trackgate.conf", "share/trackgate/before-253.conf"} {
			assert.FileExists(t, filepath.Join(folder, prefix, path))
		}
		settings := filepath.Join(folder, "etc/trackgate/trackgate.yaml")
		require.NoError(t, os.WriteFile(settings, []byte("mine"), 0o600))
		run(t, "make", "-C", root, "install", "DESTDIR="+folder, "PREFIX="+prefix)
		kept, err := os.ReadFile(settings)
		require.NoError(t, err)
		assert.Equal(t, "mine", string(kept))
	}
}
