package tlsconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestARenewalIsRequestedOnce(t *testing.T) {
	l, tls := &log{}, ordered(t.TempDir())
	listeners := listening("a.example.com", "b.example.com")
	k, err := New(tls, listeners, l.logger())
	require.NoError(t, err)
	settings := &configs.Settings{TLS: tls, Listeners: listeners}
	require.NoError(t, RequestRenewal(t.Context(), settings, "B.example.com"))
	for range 2 {
		k.managed.renewRequested(t.Context())
	}
	require.Len(t, k.managed.again, 1)
	assert.Equal(t, "b.example.com", <-k.managed.again)
}

func TestWhatCannotBeRenewedIsRefused(t *testing.T) {
	settings := &configs.Settings{TLS: ordered(t.TempDir()), Listeners: listening("a.example.com")}
	require.EqualError(t, RequestRenewal(t.Context(), settings, "c.example.com"),
		`"c.example.com" is no host of a listener with TLS: wanted one of a.example.com`)
	settings.TLS.Issuer = configs.IssuerInternal
	require.ErrorContains(t, RequestRenewal(t.Context(), settings, "a.example.com"), "tls.issuer is internal")
}
