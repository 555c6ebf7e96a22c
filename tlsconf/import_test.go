package tlsconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestWhatIsImportedIsShown(t *testing.T) {
	root, settings := newRoot(t), &configs.Settings{TLS: ordered(t.TempDir()), Listeners: listening("a.example.com", "b.example.com", "c.example.com")}
	files := root.pair(t, t.TempDir(), "old", order{hosts: []string{"b.example.com", "a.example.com", "x.example.com"}})
	hosts, err := Import(t.Context(), settings, files)
	require.NoError(t, err)
	assert.Equal(t, []string{"a.example.com", "b.example.com"}, hosts)

	k, err := New(settings.TLS, settings.Listeners, (&log{}).logger())
	require.NoError(t, err)
	assert.Equal(t, []string{"c.example.com"}, k.Missing())
	k.managed.cache = idleCache(t)
	for _, host := range hosts {
		cert, err := k.managed.config(true).CacheManagedCertificate(t.Context(), host)
		require.NoError(t, err, "certmagic has it renewed")
		assert.Contains(t, cert.Names, host)
	}
}

func TestWhatCannotBeImportedIsRefused(t *testing.T) {
	root, settings := newRoot(t), &configs.Settings{TLS: ordered(t.TempDir()), Listeners: listening("a.example.com")}
	other := root.pair(t, t.TempDir(), "other", order{hosts: []string{"x.example.com"}})
	_, err := Import(t.Context(), settings, other)
	require.EqualError(t, err, "certificate "+other.Certificate+" is for x.example.com: wanted one of a.example.com")

	mixed := configs.KeyPair{Certificate: other.Certificate, Key: root.pair(t, t.TempDir(), "more", order{hosts: []string{"a.example.com"}}).Key}
	_, err = Import(t.Context(), settings, mixed)
	require.ErrorContains(t, err, "they do not belong together")

	settings.TLS.Issuer = configs.IssuerNone
	_, err = Import(t.Context(), settings, other)
	require.ErrorContains(t, err, "name the files in tls.files")
}
