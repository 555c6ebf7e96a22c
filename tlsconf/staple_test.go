package tlsconf

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswersOfOCSPAreShownToClients(t *testing.T) {
	root, settings, l := newRoot(t), ordered(t.TempDir()), &log{}
	root.deliver(t, settings, 0, "a.example.com", order{})
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	m := k.managed
	assert.False(t, m.staple(), "nothing is ordered yet")
	m.cache = idleCache(t)
	config := m.config(false)
	m.ordering.Store(config)
	held := m.held["a.example.com"].cert
	_, err = config.CacheUnmanagedTLSCertificate(t.Context(), tls.Certificate{
		Certificate: held.Certificate, PrivateKey: held.PrivateKey, OCSPStaple: []byte("good"),
	}, nil)
	require.NoError(t, err)

	k.lookAround(t.Context())
	g := serve(t, &gate{keeper: k, log: l, root: root}, listening("a.example.com")[:1])
	assert.Equal(t, "good", string(g.ok(t, g.client("a.example.com")).OCSPResponse))
	assert.Empty(t, held.OCSPStaple, "what handshakes may be using is left alone")
	assert.False(t, m.staple(), "once for each answer")
}
