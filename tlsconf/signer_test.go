package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSignaturesOfOneMessageAreEqualAndGood(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signer := steady(key).(crypto.Signer)
	digest, other := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("another"))
	var signatures [3][]byte
	for i, d := range [][]byte{digest[:], digest[:], other[:]} {
		signatures[i], err = signer.Sign(rand.Reader, d, crypto.SHA256)
		require.NoError(t, err)
		assert.True(t, ecdsa.VerifyASN1(&key.PublicKey, d, signatures[i]))
	}
	assert.Equal(t, signatures[0], signatures[1])
	assert.NotEqual(t, signatures[0], signatures[2])
	assert.Equal(t, key.Public(), signer.Public())
}

func TestOtherKeysSignAsTheyDo(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	assert.Equal(t, key, steady(key))
}

func BenchmarkSign(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	digest := sha256.Sum256(nil)
	for name, k := range map[string]crypto.Signer{"usual": key, "steady": steady(key).(crypto.Signer)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Sign(rand.Reader, digest[:], crypto.SHA256) //nolint:errcheck // tested above
			}
		})
	}
}
