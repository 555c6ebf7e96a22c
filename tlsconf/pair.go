package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/trackgate/trackgate/configs"
)

// maxPEM is more than any chain or key takes, and little enough to read at once.
const maxPEM = 1 << 20

// pair is a certificate and its key in two PEM files.
type pair struct {
	files   configs.KeyPair
	seen    [sha256.Size]byte // of what was read last, good or bad
	cert    *tls.Certificate  // in use
	offered *tls.Certificate  // read and sound, but not in use yet
}

// load reads both files. When they hold something new and sound, it is offered.
// The error comes once for each content.
func (p *pair) load() error {
	certPEM, keyPEM, err := p.read()
	seen := fingerprint(certPEM, keyPEM, err)
	if seen == p.seen {
		return nil
	}
	p.seen, p.offered = seen, nil
	if err != nil {
		return err
	}
	cert, err := parsePair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("certificate %s, key %s: %w", p.files.Certificate, p.files.Key, err)
	}
	if p.cert == nil || !bytes.Equal(cert.Leaf.Raw, p.cert.Leaf.Raw) || len(cert.Certificate) != len(p.cert.Certificate) {
		p.offered = cert
	}
	return nil
}

// accept takes what is offered into use.
func (p *pair) accept() { p.cert, p.offered = p.offered, nil }

func (p *pair) read() (certPEM, keyPEM []byte, err error) {
	certPEM, certErr := readFile("certificate", p.files.Certificate)
	keyPEM, keyErr := readFile("key", p.files.Key)
	return certPEM, keyPEM, errors.Join(certErr, keyErr)
}

// readFile follows symlinks, as a Kubernetes Secret has them.
func readFile(what, path string) ([]byte, error) { return readUpTo(maxPEM, what, path) }

func readUpTo(most int64, what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", what, path, errors.Unwrap(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %s: not a regular file", what, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", what, path, errors.Unwrap(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("longer than %d bytes", most)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", what, path, err)
	}
	return text, nil
}

func fingerprint(certPEM, keyPEM []byte, err error) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %v\n", len(certPEM), len(keyPEM), err)
	h.Write(certPEM)
	h.Write(keyPEM)
	return [sha256.Size]byte(h.Sum(nil))
}

// parsePair makes a certificate ready for handshakes: the chain in order, the key
// its own, the leaf parsed.
func parsePair(certPEM, keyPEM []byte) (*tls.Certificate, error) {
	chain, err := parseChain(certPEM)
	if err != nil {
		return nil, err
	}
	if err := demandOrder(chain); err != nil {
		return nil, err
	}
	if err := demandKey(keyPEM); err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("they do not belong together: %w", err)
	}
	cert.Leaf, cert.PrivateKey = chain[0], steady(cert.PrivateKey)
	return &cert, nil
}

func parseChain(text []byte) ([]*x509.Certificate, error) {
	ders, err := blocksOf(text, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	if len(ders) == 0 {
		return nil, errors.New("the certificate file holds no PEM block CERTIFICATE")
	}
	chain := make([]*x509.Certificate, len(ders))
	for i, der := range ders {
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("certificate %d of the file cannot be read: %w", i+1, err)
		}
	}
	return chain, nil
}

// blocksOf returns what is in the PEM blocks of a kind. One that is broken beside whole
// ones is an error, as in a file that is being written: pem.Decode passes over it.
func blocksOf(text []byte, kind string) ([][]byte, error) {
	var ders [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			ders = append(ders, block.Bytes)
		}
	}
	begin := []byte("\n-----BEGIN " + kind + "-----")
	if begun := bytes.Count(append([]byte("\n"), text...), begin); len(ders) > 0 && begun > len(ders) {
		return nil, fmt.Errorf("%d of %d PEM blocks %s are broken or cut off", begun-len(ders), begun, kind)
	}
	return ders, nil
}

// demandOrder checks that each certificate was signed by the next (RFC 8446,
// 4.4.2): most clients would cope with another order, embedded ones do not.
func demandOrder(chain []*x509.Certificate) error {
	for i := range len(chain) - 1 {
		if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
			return fmt.Errorf("certificate %d of the file (%s) is not signed by the next one (%s); the order is leaf, intermediates: %w",
				i+1, nameOf(chain[i].Subject), nameOf(chain[i+1].Subject), err)
		}
	}
	return nil
}

// demandKey tells apart what crypto/tls reports alike.
func demandKey(text []byte) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return errors.New("the key is encrypted; it is needed without a passphrase")
		}
	}
	return nil
}

// nameOf returns the common name, or where there is none the whole name.
func nameOf(n pkix.Name) string {
	if n.CommonName != "" {
		return n.CommonName
	}
	return n.String()
}

// fromFiles returns the certificates in use.
func fromFiles(pairs []pair) []heldCert {
	held := make([]heldCert, len(pairs))
	for i, p := range pairs {
		held[i] = heldCert{cert: p.cert, source: p.files.Certificate}
	}
	return held
}
