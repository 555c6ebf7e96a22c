package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// How long the internal CA and its leaves are good for. Both begin an hour early,
// for clients with a slow clock.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 90 * 24 * time.Hour
	slowClock    = time.Hour
)

// CAName is the file of the internal CA's certificate in the storage.
const CAName = "ca.pem"

// The files of the internal CA in the storage.
const (
	caCertFile = CAName
	caKeyFile  = "ca.key"
)

// authority is the internal CA: for trying out, and for networks whose clients
// are told to trust it.
type authority struct {
	file string // of the certificate
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// openAuthority returns the CA kept in s, which it makes at the first time.
func openAuthority(s storage, now time.Time, log zerolog.Logger) (*authority, error) {
	a, err := loadOrMake(s, now, log)
	if err != nil {
		return nil, fmt.Errorf("tls.storage %s: the internal CA cannot be kept there: %w", string(s), err)
	}
	return a, nil
}

// loadOrMake holds the lock, so that two gates on one storage get one CA. The key
// is written first: a crash leaves a key without a certificate, which is completed
// by the next start, and never a certificate without a key.
func loadOrMake(s storage, now time.Time, log zerolog.Logger) (*authority, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := loadCAKey(s, log)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeCAKey(s)
	}
	if err != nil {
		return nil, err
	}
	cert, err := loadCACert(s, key, now)
	if errors.Is(err, fs.ErrNotExist) {
		cert, err = makeCACert(s, key, now)
	}
	if err != nil {
		return nil, err
	}
	return &authority{file: s.path(caCertFile), cert: cert, key: key}, nil
}

func loadCAKey(s storage, log zerolog.Logger) (*ecdsa.PrivateKey, error) {
	path := s.path(caKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, demandNoCert(s, err)
	}
	if err != nil {
		return nil, err
	}
	closeToOthers(path, log)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block; remove it together with %s to get a new CA", caKeyFile, caCertFile)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", caKeyFile, err)
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("%s: not an ECDSA key", caKeyFile)
}

// demandNoCert turns a missing key into a mistake where there is a certificate:
// a new key would make a CA that nobody trusts under the name of the old one.
func demandNoCert(s storage, missing error) error {
	if _, err := os.Lstat(s.path(caCertFile)); err == nil {
		return fmt.Errorf("%s is there but %s is not; put the key back, or remove the certificate to get a new CA", caCertFile, caKeyFile)
	}
	return missing
}

// closeToOthers takes the right to read a key from everyone but its owner.
func closeToOthers(path string, log zerolog.Logger) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	log.Warn().Str("file", path).Stringer("mode", info.Mode().Perm()).AnErr("chmod", os.Chmod(path, 0o600)).
		Msg("key of the internal CA was open to others")
}

func makeCAKey(s storage) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, s.write(caKeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func loadCACert(s storage, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	text, err := os.ReadFile(s.path(caCertFile))
	if err != nil {
		return nil, err
	}
	chain, err := parseChain(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", caCertFile, err)
	}
	cert := chain[0]
	if !key.PublicKey.Equal(cert.PublicKey) || !cert.IsCA {
		return nil, fmt.Errorf("%s does not belong to %s; remove both to get a new CA", caCertFile, caKeyFile)
	}
	if now.After(cert.NotAfter) {
		return nil, fmt.Errorf("%s ended on %s; remove it to get a new one", caCertFile, cert.NotAfter.Format(time.DateOnly))
	}
	return cert, nil
}

func makeCACert(s storage, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	template, err := caTemplate(key, now)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := s.write(caCertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// caTemplate puts a part of the key's digest into the name, so that two CAs in one
// trust store can be told apart.
func caTemplate(key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(public)
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: "trackgate internal CA " + hex.EncodeToString(digest[:4])},
		NotBefore:             now.Add(-slowClock),
		NotAfter:              now.Add(caLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}, nil
}

// issue signs a leaf for hosts with a key of its own, which stays in memory.
func (a *authority) issue(hosts []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, a.leafTemplate(hosts, now), a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", strings.Join(hosts, ", "), err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: steady(key), Leaf: leaf}, nil
}

func (a *authority) leafTemplate(hosts []string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:     pkix.Name{Organization: []string{"trackgate"}},
		NotBefore:   now.Add(-slowClock),
		NotAfter:    now.Add(leafLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	for _, host := range hosts {
		if name, addr := keyOf(host); name == "" {
			t.IPAddresses = append(t.IPAddresses, addr.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

// due reports whether a leaf is to be signed anew: a third of its life is left, or
// the clock says that it is not valid.
func due(leaf *x509.Certificate, now time.Time) bool {
	return now.After(renewalOf(leaf)) || now.Before(leaf.NotBefore)
}

// renewalOf returns when a third of a leaf's life is left.
func renewalOf(leaf *x509.Certificate) time.Time {
	return leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
}
