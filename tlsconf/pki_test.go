package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// signer is a certificate that signs others, and its key.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// newRoot returns a root that exists only in the test.
func newRoot(t testing.TB) signer {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	key := newECDSA(t)
	return signer{cert: signed(t, template, signer{cert: template, key: key}, key), key: key}
}

// intermediate returns a further signer below s.
func (s signer) intermediate(t testing.TB) signer {
	key := newECDSA(t)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test intermediate"}, NotBefore: s.cert.NotBefore, NotAfter: s.cert.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return signer{cert: signed(t, template, s, key), key: key}
}

// pool is what a client trusts.
func (s signer) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.cert)
	return pool
}

// order is a certificate to be made; what is left out is the usual.
type order struct {
	hosts []string
	from  time.Time
	until time.Time
	key   crypto.Signer
	chain []signer // sent after the leaf; the first one signs
	ocsp  string   // URL of who tells how it stands
}

// sign returns the PEM of what is ordered.
func (s signer) sign(t testing.TB, o order) (certPEM, keyPEM []byte) {
	if o.key == nil {
		o.key = newECDSA(t)
	}
	if o.from.IsZero() {
		o.from = time.Now().Add(-time.Hour)
	}
	if o.until.IsZero() {
		o.until = time.Now().AddDate(0, 0, 60)
	}
	if len(o.chain) > 0 {
		s = o.chain[0]
	}
	leaf := signed(t, leafOf(o), s, o.key)
	certPEM = certificatePEM(leaf)
	for _, c := range o.chain {
		certPEM = append(certPEM, certificatePEM(c.cert)...)
	}
	return certPEM, privatePEM(t, o.key)
}

func leafOf(o order) *x509.Certificate {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "leaf"}, NotBefore: o.from, NotAfter: o.until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if o.ocsp != "" {
		template.OCSPServer = []string{o.ocsp}
	}
	for _, host := range o.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// pair writes what is ordered into folder under name.
func (s signer) pair(t testing.TB, folder, name string, o order) configs.KeyPair {
	certPEM, keyPEM := s.sign(t, o)
	files := configs.KeyPair{Certificate: filepath.Join(folder, name+".crt"), Key: filepath.Join(folder, name+".key")}
	put(t, files.Certificate, certPEM)
	put(t, files.Key, keyPEM)
	return files
}

// put replaces a file as a whole.
func put(t testing.TB, path string, content []byte) {
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func signed(t testing.TB, template *x509.Certificate, by signer, key crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func newECDSA(t testing.TB) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func newRSA(t testing.TB) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func privatePEM(t testing.TB, key crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
