package main

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientUsesTheProtocolOfTheComparison(t *testing.T) {
	g := testGate(t, "200 OK", func(*tls.Config) {})

	c, err := g.connect(t.Context(), 7, nil)

	require.NoError(t, err)
	state := c.conn.ConnectionState()
	assert.Equal(t, uint16(tls.VersionTLS13), state.Version)
	assert.Equal(t, tls.X25519, state.CurveID)
	assert.Contains(t, c.conn.LocalAddr().String(), "127.0.0.7:")
	require.NoError(t, c.post(requestBytes("POST", eventPath, eventBody())))
	require.NoError(t, c.close())
}

func TestClientRefusesAnotherCertificate(t *testing.T) {
	g := testGate(t, "200 OK", func(*tls.Config) {})
	g.leaf = []byte("another")

	_, err := g.connect(t.Context(), 2, nil)

	assert.EqualError(t, err, "handshake: another certificate than ours")
}

func TestClientRefusesAnotherCipherSuite(t *testing.T) {
	g := testGate(t, "200 OK", func(*tls.Config) {})
	c, err := g.connect(t.Context(), 2, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.close()) }()
	state := c.conn.ConnectionState()
	require.NoError(t, g.verify(state))

	state.CipherSuite = tls.TLS_AES_256_GCM_SHA384

	assert.EqualError(t, g.verify(state), "cipher suite is TLS_AES_256_GCM_SHA384")
}

func TestClientRefusesTLS12(t *testing.T) {
	g := testGate(t, "200 OK", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })

	_, err := g.connect(t.Context(), 2, nil)

	assert.ErrorContains(t, err, "handshake: ")
}

func TestExchangeReturnsTheStatus(t *testing.T) {
	c, err := testGate(t, "404 Not Found", func(*tls.Config) {}).connect(t.Context(), 2, nil)
	require.NoError(t, err)

	status, length, err := c.exchange(requestBytes("GET", "/", ""))

	require.NoError(t, err)
	assert.Equal(t, "404", status)
	assert.Equal(t, answerBytes, length)
	require.NoError(t, c.close())
	_, _, err = c.exchange(requestBytes("GET", "/", ""))
	assert.ErrorContains(t, err, "request: ")
}
