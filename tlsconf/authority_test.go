package tlsconf

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func internalCA(folder string) configs.TLS {
	return configs.TLS{Issuer: configs.IssuerInternal, Storage: folder}
}

// trusting returns a pool with the certificate in file.
func trusting(t *testing.T, file string) *x509.CertPool {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return pool
}

func TestInternalCAServesEveryHost(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "storage")
	local := configs.Listener{Name: "local", TLS: true, Hosts: []string{"localhost", "127.0.0.1", "::1", "*.test"}}
	k, err := New(internalCA(folder), []configs.Listener{local, gui()}, zerolog.Nop())
	require.NoError(t, err)

	require.Equal(t, filepath.Join(folder, "ca.pem"), k.CAFile())
	pool := trusting(t, k.CAFile())
	shown := k.Certificates()
	require.Len(t, shown, 2, "one leaf for each listener")
	for _, held := range k.leaves {
		leaf := held.cert.Leaf
		require.Len(t, held.cert.Certificate, 1, "the CA itself is not sent")
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool})
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(90*24*time.Hour), leaf.NotAfter, time.Minute)
	}
	require.True(t, coversAll(k.leaves["local"].cert.Leaf, local.Hosts))
	require.Contains(t, k.leaves["local"].cert.Leaf.IPAddresses[1], net.ParseIP("::1")[15])
	require.Equal(t, "internal", shown[0].Source)
	require.Contains(t, shown[0].Issuer, "trackgate internal CA")
}

func TestInternalCAFilesAreClosedToOthers(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "storage")
	_, err := openAuthority(storage(folder), time.Now(), zerolog.Nop())
	require.NoError(t, err)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file is left")
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestInternalCAStaysTheSame(t *testing.T) {
	folder, l := t.TempDir(), &log{}
	first, err := openAuthority(storage(folder), time.Now(), l.logger())
	require.NoError(t, err)
	require.NoError(t, os.Chmod(filepath.Join(folder, "ca.key"), 0o644))

	second, err := openAuthority(storage(folder), time.Now(), l.logger())
	require.NoError(t, err)
	require.Equal(t, first.cert.Raw, second.cert.Raw)
	require.Contains(t, l.String(), "key of the internal CA was open to others")
	info, err := os.Stat(filepath.Join(folder, "ca.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// Whoever stopped between the two files: the CA is completed, with its key.
func TestInternalCAIsCompletedAfterCrash(t *testing.T) {
	folder := t.TempDir()
	first, err := openAuthority(storage(folder), time.Now(), zerolog.Nop())
	require.NoError(t, err)
	require.NoError(t, os.Remove(first.file))

	second, err := openAuthority(storage(folder), time.Now(), zerolog.Nop())
	require.NoError(t, err)
	require.True(t, first.key.Equal(second.key))
	require.Equal(t, first.cert.Subject.String(), second.cert.Subject.String())
}

func TestGatesOnOneStorageShareTheCA(t *testing.T) {
	folder := t.TempDir()
	made := make([]*authority, 8)
	var gates sync.WaitGroup
	for i := range made {
		gates.Go(func() { made[i], _ = openAuthority(storage(folder), time.Now(), zerolog.Nop()) })
	}
	gates.Wait()
	for _, a := range made {
		require.NotNil(t, a)
		require.Equal(t, made[0].cert.Raw, a.cert.Raw)
	}
}

func TestInternalCAThatCannotBeUsed(t *testing.T) {
	other, _ := newRoot(t).sign(t, order{})
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, folder string)
		later time.Duration
		want  string
	}{
		{"key lost", remove("ca.key"), 0, "ca.pem is there but ca.key is not"},
		{"key garbled", replace("ca.key", []byte("x")), 0, "ca.key: no PEM block"},
		{"key empty", replace("ca.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})), 0, "ca.key: "},
		{"key of another kind", replace("ca.key", privatePEM(t, newRSA(t))), 0, "not an ECDSA key"},
		{"key of another", replace("ca.key", privatePEM(t, newECDSA(t))), 0, "ca.pem does not belong to ca.key"},
		{"certificate garbled", replace("ca.pem", []byte("x")), 0, "ca.pem: "},
		{"certificate of another", replace("ca.pem", other), 0, "ca.pem does not belong to ca.key"},
		{"certificate ended", func(*testing.T, string) {}, caLifetime + time.Hour, "ca.pem ended on "},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			_, err := openAuthority(storage(folder), time.Now(), zerolog.Nop())
			require.NoError(t, err)
			test.spoil(t, folder)

			_, err = openAuthority(storage(folder), time.Now().Add(test.later), zerolog.Nop())
			require.ErrorContains(t, err, "tls.storage "+folder)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, folder string) { require.NoError(t, os.Remove(filepath.Join(folder, name))) }
}

func replace(name string, content []byte) func(*testing.T, string) {
	return func(t *testing.T, folder string) { put(t, filepath.Join(folder, name), content) }
}

func TestUnwritableStorageIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, nil)
	for _, folder := range []string{file, filepath.Join(file, "below"), "/proc/trackgate"} {
		_, err := New(internalCA(folder), []configs.Listener{track()}, zerolog.Nop())
		require.ErrorContains(t, err, "tls.storage "+folder+": the internal CA cannot be kept there")
	}
}

func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	folder := storage(t.TempDir())
	require.NoError(t, os.MkdirAll(folder.path("ca.pem/in the way"), 0o700))
	require.Error(t, folder.write("ca.pem", []byte("new")))
	entries, err := os.ReadDir(string(folder))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

func TestNoStorageIsNeededWhereFilesCoverAll(t *testing.T) {
	settings := internalCA("/proc/trackgate")
	settings.Files = []configs.KeyPair{newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: track().Hosts})}
	k, err := New(settings, []configs.Listener{track()}, zerolog.Nop())
	require.NoError(t, err)
	require.Empty(t, k.CAFile())
}

func TestLeafIsRenewedAtAThirdOfItsLife(t *testing.T) {
	now := &clock{at: time.Now()}
	l := &log{}
	k, err := newKeeper(internalCA(t.TempDir()), []configs.Listener{track()}, l.logger(), now.now)
	require.NoError(t, err)
	end := k.Certificates()[0].NotAfter

	now.forward(59 * 24 * time.Hour)
	k.tend()
	require.Equal(t, end, k.Certificates()[0].NotAfter, "too early")
	now.forward(2 * 24 * time.Hour)
	k.tend()
	require.WithinDuration(t, end.Add(61*24*time.Hour), k.Certificates()[0].NotAfter, time.Minute)

	now.forward(-365 * 24 * time.Hour) // a clock put right
	k.tend()
	require.True(t, k.Certificates()[0].NotBefore.Before(now.now()))
	require.NotContains(t, l.String(), `"level":"error"`)
}

func TestLeafDoesNotOutliveTheCA(t *testing.T) {
	folder := t.TempDir()
	a, err := openAuthority(storage(folder), time.Now(), zerolog.Nop())
	require.NoError(t, err)
	leaf, err := a.issue([]string{"a.example.com"}, time.Now().Add(caLifetime-24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, a.cert.NotAfter, leaf.Leaf.NotAfter)
}
