package tlsconf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestParsePair(t *testing.T) {
	root := newRoot(t)
	middle := root.intermediate(t)
	hosts := order{hosts: []string{"track.example.com"}}
	cert, key := root.sign(t, hosts)
	chain, chainKey := root.sign(t, order{hosts: hosts.hosts, chain: []signer{middle, root}})
	_, otherKey := root.sign(t, hosts)
	blocks := pemBlocks(chain)
	for _, test := range []struct {
		name      string
		cert, key []byte
		want      string // "" is sound
	}{
		{"leaf alone", cert, key, ""},
		{"whole chain", chain, chainKey, ""},
		{"text around the blocks", append([]byte("subject=x\n"), cert...), append([]byte("\n# mine\n"), key...), ""},
		{"key of the first form for ECDSA", cert, sec1(t, key), ""},
		{"reversed chain", bytes.Join([][]byte{blocks[2], blocks[1], blocks[0]}, nil), chainKey,
			"certificate 1 of the file (test root) is not signed by the next one (test intermediate)"},
		{"hole in the chain", bytes.Join([][]byte{blocks[0], blocks[2]}, nil), chainKey,
			"certificate 1 of the file (leaf) is not signed by the next one (test root)"},
		{"chain of another", append(bytes.Clone(cert), blocks[1]...), key, "is not signed by the next one"},
		{"key of another", cert, otherKey, "do not belong together"},
		{"empty certificate", nil, key, "no PEM block CERTIFICATE"},
		{"key in place of the certificate", key, key, "no PEM block CERTIFICATE"},
		{"certificate in place of the key", cert, cert, "do not belong together"},
		{"empty key", cert, nil, "do not belong together"},
		{"broken certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), key, "certificate 1 of the file cannot be read"},
		{"broken key", cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), "do not belong together"},
		{"encrypted key", cert, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), "the key is encrypted"},
		{"key encrypted the old way", cert, []byte("-----BEGIN EC PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"), "the key is encrypted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parsePair(test.cert, test.key)
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "leaf", got.Leaf.Subject.CommonName)
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large")
	put(t, large, make([]byte, maxPEM+1))
	for path, want := range map[string]string{
		filepath.Join(folder, "missing"): "missing: no such file or directory",
		folder:                           "not a regular file",
		"/dev/zero":                      "not a regular file",
		large:                            "longer than 1048576 bytes",
	} {
		p := pair{files: configs.KeyPair{Certificate: path, Key: path}}
		err := p.load()
		require.ErrorContains(t, err, "certificate "+path)
		require.ErrorContains(t, err, "key "+path)
		require.ErrorContains(t, err, want)
		require.NoError(t, p.load(), "told once")
	}
}

func TestSymlinksAreFollowed(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	files := root.pair(t, folder, "real", order{hosts: []string{"a.example.com"}})
	links := configs.KeyPair{Certificate: filepath.Join(folder, "l.crt"), Key: filepath.Join(folder, "l.key")}
	require.NoError(t, os.Symlink(files.Certificate, links.Certificate))
	require.NoError(t, os.Symlink("real.key", links.Key))
	p := pair{files: links}
	require.NoError(t, p.load())
	require.NotNil(t, p.offered)
}

// Whatever is in the files: no panic, and never a certificate with another's key.
func FuzzParsePair(f *testing.F) {
	root := newRoot(f)
	cert, key := root.sign(f, order{hosts: []string{"a.example.com"}})
	chain, chainKey := root.sign(f, order{hosts: []string{"a.example.com"}, chain: []signer{root}})
	f.Add(cert, key)
	f.Add(chain, chainKey)
	f.Add(cert, chainKey)
	f.Add(key, cert)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), []byte{})
	f.Fuzz(func(t *testing.T, certPEM, keyPEM []byte) {
		got, err := parsePair(certPEM, keyPEM)
		if err != nil {
			return
		}
		private, ok := got.PrivateKey.(*ecdsa.PrivateKey)
		if ok && !private.PublicKey.Equal(got.Leaf.PublicKey) {
			t.Error("a key that is not the certificate's")
		}
	})
}

// pemBlocks cuts a file into its blocks.
func pemBlocks(text []byte) [][]byte {
	var blocks [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, pem.EncodeToMemory(block))
	}
	return blocks
}

// sec1 turns a key into the form that openssl ecparam writes.
func sec1(t *testing.T, pkcs8 []byte) []byte {
	block, _ := pem.Decode(pkcs8)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}
