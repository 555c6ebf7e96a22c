package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCertificateIsP256ForTheBenchHost(t *testing.T) {
	folder := testCertificate(t)

	der, err := readLeaf(filepath.Join(folder, certificateFile))

	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NoError(t, leaf.VerifyHostname("bench.test"))
	assert.Equal(t, elliptic.P256(), leaf.PublicKey.(*ecdsa.PublicKey).Curve)
	assert.Equal(t, x509.ECDSAWithSHA256, leaf.SignatureAlgorithm)
}

func TestCertificateFilesAreForTheOwnerAndFitTogether(t *testing.T) {
	folder := testCertificate(t)

	for _, pair := range [][2]string{{certificateFile, keyFile}, {bundleFile, bundleFile}} {
		_, err := tls.LoadX509KeyPair(filepath.Join(folder, pair[0]), filepath.Join(folder, pair[1]))
		require.NoError(t, err, pair)
	}
	info, err := os.Stat(filepath.Join(folder, keyFile))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}

func TestReadLeafSaysWhatIsWrong(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))

	_, err := readLeaf(empty)
	assert.EqualError(t, err, "certificate "+empty+": no PEM in it")
	_, err = readLeaf(empty + ".missing")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorIs(t, certificate{}.write(empty+".missing"), fs.ErrNotExist)
}
