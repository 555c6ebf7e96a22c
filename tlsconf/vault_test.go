package tlsconf

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// away is a storage that does not answer, while it is away.
type away struct {
	certmagic.Storage
	away atomic.Bool
}

func (a *away) Load(ctx context.Context, key string) ([]byte, error) {
	if a.away.Load() {
		return nil, errFull
	}
	return a.Storage.Load(ctx, key)
}

func TestACopyIsReadWhileTheStorageIsAway(t *testing.T) {
	root, settings := newRoot(t), ordered(t.TempDir())
	root.deliver(t, settings, 0, "a.example.com", order{})
	m, l := unstarted(t, settings)
	remote := &away{Storage: m.storage.Storage}
	m.storage, m.copy = newBundles(remote), newBundles(&certmagic.FileStorage{Path: t.TempDir()})
	first, err := m.newest(t.Context(), "a.example.com")
	require.NoError(t, err)

	remote.away.Store(true)
	again, err := m.newest(t.Context(), "a.example.com")
	require.NoError(t, err)
	assert.True(t, again.cert.Leaf.Equal(first.cert.Leaf))
	_, err = m.newest(t.Context(), "b.example.com")
	require.ErrorIs(t, err, errFull, "what is not in the copy either is not said to be missing")

	remote.away.Store(false)
	root.deliver(t, settings, 0, "a.example.com", order{})
	renewed, err := m.newest(t.Context(), "a.example.com")
	require.NoError(t, err)
	remote.away.Store(true)
	again, err = m.newest(t.Context(), "a.example.com")
	require.NoError(t, err)
	assert.True(t, again.cert.Leaf.Equal(renewed.cert.Leaf), "the copy follows")
	assert.False(t, renewed.cert.Leaf.Equal(first.cert.Leaf))
	assert.NotContains(t, l.String(), "cannot be written down")
}

func TestRedisIsVerified(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	put(t, file, certificatePEM(newRoot(t).cert))
	config, err := redisTLS(configs.Redis{Address: "redis.internal:6379", CA: file})
	require.NoError(t, err)
	assert.Equal(t, "redis.internal", config.ServerName)
	assert.NotNil(t, config.RootCAs)
	config, err = redisTLS(configs.Redis{Address: "10.0.0.5:6379", ServerName: "redis.example.com"})
	require.NoError(t, err)
	assert.Equal(t, "redis.example.com", config.ServerName)
	assert.Nil(t, config.RootCAs, "those of the system")

	require.NoError(t, os.WriteFile(file, []byte("none"), 0o600))
	_, err = openStorage(configs.TLS{Redis: configs.Redis{Address: "redis.internal:6379", TLS: true, CA: file}})
	require.ErrorContains(t, err, "tls.redis: CA "+file)
	require.ErrorContains(t, err, "holds no PEM block CERTIFICATE")
	_, err = redisTLS(configs.Redis{CA: file + ".gone"})
	require.ErrorContains(t, err, "no such file")
}
