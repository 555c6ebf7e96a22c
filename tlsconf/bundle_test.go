package tlsconf

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	keyOfOne   = "certificates/ca/one.example.com/one.example.com.key"
	chainOfOne = "certificates/ca/one.example.com/one.example.com.crt"
	metaOfOne  = "certificates/ca/one.example.com/one.example.com.json"
)

// full is a storage that takes nothing, while it is full.
type full struct {
	certmagic.Storage
	full bool
}

var errFull = errors.New("no space left on device")

func (f *full) Store(ctx context.Context, key string, value []byte) error {
	if f.full {
		return errFull
	}
	return f.Storage.Store(ctx, key, value)
}

// put stores a whole bundle, as certmagic does.
func (b *bundles) put(t *testing.T, key, chain, meta string) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, b.Store(ctx, keyOfOne, []byte(key)))
	require.NoError(t, b.Store(ctx, chainOfOne, []byte(chain)))
	require.NoError(t, b.Store(ctx, metaOfOne, []byte(meta)))
}

// holds demands what is read.
func (b *bundles) holds(t *testing.T, key, chain, meta string) {
	t.Helper()
	for name, want := range map[string]string{keyOfOne: key, chainOfOne: chain, metaOfOne: meta} {
		got, err := b.Load(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
		assert.True(t, b.Exists(t.Context(), name))
	}
}

func TestABundleIsReplacedAsAWhole(t *testing.T) {
	folder := t.TempDir()
	b := newBundles(&certmagic.FileStorage{Path: folder})
	_, err := b.Load(t.Context(), chainOfOne)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.False(t, b.Exists(t.Context(), chainOfOne))
	b.put(t, "key 1", "chain 1", "meta 1")
	b.holds(t, "key 1", "chain 1", "meta 1")

	require.NoError(t, b.Store(t.Context(), keyOfOne, []byte("key 2")))
	require.NoError(t, b.Store(t.Context(), chainOfOne, []byte("chain 2")))
	b.holds(t, "key 1", "chain 1", "meta 1")
	require.NoError(t, b.Store(t.Context(), metaOfOne, []byte("meta 2")))
	b.holds(t, "key 2", "chain 2", "meta 2")

	info, err := b.Stat(t.Context(), chainOfOne)
	require.NoError(t, err)
	assert.Equal(t, chainOfOne, info.Key)
	file, err := os.Stat(filepath.Join(folder, "certificates/ca/one.example.com/one.example.com.bundle"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), file.Mode().Perm())
}

// A process that was killed while it wrote leaves nothing behind that the next one would
// take for the rest of its own.
func TestABundleThatWasBegunIsNotCompletedByTheNext(t *testing.T) {
	b := newBundles(&certmagic.FileStorage{Path: t.TempDir()})
	require.NoError(t, b.Store(t.Context(), keyOfOne, []byte("key of one that failed")))
	require.NoError(t, b.Store(t.Context(), chainOfOne, []byte("chain of one that failed")))
	b.put(t, "key", "chain", "meta")
	b.holds(t, "key", "chain", "meta")
}

// When an authority changes its mind about when to renew, certmagic writes that alone.
func TestWhatAnAuthoritySaysLaterIsKept(t *testing.T) {
	b := newBundles(&certmagic.FileStorage{Path: t.TempDir()})
	require.ErrorIs(t, b.Store(t.Context(), metaOfOne, []byte("of nothing")), fs.ErrNotExist)
	b.put(t, "key", "chain", "renew in March")
	require.NoError(t, b.Store(t.Context(), metaOfOne, []byte("renew now")))
	b.holds(t, "key", "chain", "renew now")
	require.NoError(t, b.Delete(t.Context(), keyOfOne))
	assert.False(t, b.Exists(t.Context(), chainOfOne))
}

// certmagic takes back what it has written when it cannot write the rest.
func TestAFullDiskLeavesTheOldCertificate(t *testing.T) {
	disk := &full{Storage: &certmagic.FileStorage{Path: t.TempDir()}}
	b := newBundles(disk)
	b.put(t, "key 1", "chain 1", "meta 1")
	disk.full = true
	require.NoError(t, b.Store(t.Context(), keyOfOne, []byte("key 2")))
	require.NoError(t, b.Store(t.Context(), chainOfOne, []byte("chain 2")))
	require.ErrorIs(t, b.Store(t.Context(), metaOfOne, []byte("meta 2")), errFull)
	require.NoError(t, b.Delete(t.Context(), chainOfOne))
	require.NoError(t, b.Delete(t.Context(), keyOfOne))
	b.holds(t, "key 1", "chain 1", "meta 1")
	disk.full = false
	b.put(t, "key 3", "chain 3", "meta 3")
	b.holds(t, "key 3", "chain 3", "meta 3")
}

func TestABundleIsDeletedAsAWhole(t *testing.T) {
	b := newBundles(&certmagic.FileStorage{Path: t.TempDir()})
	b.put(t, "key", "chain", "meta")
	for _, key := range []string{chainOfOne, keyOfOne, metaOfOne} {
		require.NoError(t, b.Delete(t.Context(), key))
		assert.False(t, b.Exists(t.Context(), key))
	}
}

func TestWhatIsNoBundleIsKeptAsItIs(t *testing.T) {
	inner := &certmagic.FileStorage{Path: t.TempDir()}
	b := newBundles(inner)
	for _, key := range []string{"acme/ca/users/ops@example.com/ops.key", "certificates/ca/one.example.com/other.crt", "ocsp/one-1.json"} {
		require.NoError(t, b.Store(t.Context(), key, []byte("x")))
		got, err := inner.Load(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, "x", string(got))
		assert.True(t, b.Exists(t.Context(), key))
		require.NoError(t, b.Delete(t.Context(), key))
		assert.False(t, inner.Exists(t.Context(), key))
	}
}

func TestABrokenBundleIsToldOf(t *testing.T) {
	inner := &certmagic.FileStorage{Path: t.TempDir()}
	b := newBundles(inner)
	bundle, _ := site(chainOfOne)
	require.NoError(t, inner.Store(t.Context(), bundle, []byte("{")))
	_, err := b.Load(t.Context(), chainOfOne)
	require.ErrorContains(t, err, bundle)
	require.NoError(t, inner.Store(t.Context(), bundle, []byte(`{".crt": "eA=="}`)))
	_, err = b.Load(t.Context(), chainOfOne)
	require.ErrorContains(t, err, ".key is missing")
	require.ErrorIs(t, err, fs.ErrNotExist, "so that it is ordered again")
}

// Whatever the key, it is either kept as it is or a part of the bundle beside it.
func FuzzSite(f *testing.F) {
	for _, key := range []string{keyOfOne, chainOfOne, "certificates", "certificates/", "certificates/.key/.key", "a/b.crt", ""} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		bundle, part := site(key)
		if part == "" {
			require.Equal(t, key, bundle)
			return
		}
		require.Contains(t, parts(), part)
		again, same := site(bundle)
		require.Empty(t, same, "a bundle is no part of another")
		require.Equal(t, bundle, again)
	})
}
