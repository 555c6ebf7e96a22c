package redisstore

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

// newSeal returns AES-256-GCM with a random nonce for each value, which is in front of it.
func newSeal(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("encryption_key has %d bytes: wanted 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
