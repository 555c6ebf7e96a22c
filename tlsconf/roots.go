package tlsconf

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// roots are the certificates of a CA file, of backends or of clients.
type roots struct {
	path         string
	seen         [sha256.Size]byte   // of what was read last, good or bad
	used         [sha256.Size]byte   // of what pool was made of
	pool         *x509.CertPool      // in use; nil is the system's
	offered      *x509.CertPool      // read and sound, but not in use yet
	offer        []*x509.Certificate // what it holds
	certificates []*x509.Certificate // those of pool
}

// ReadRoots returns the certificates of a CA file that is read once; nil, which is the
// system's, where there is no path.
func ReadRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	r := roots{path: path}
	err := r.load()
	return r.offered, err
}

// load reads the file. When it holds something new and sound, it is offered. The
// error comes once for each content.
func (r *roots) load() error {
	text, err := readFile("CA", r.path)
	seen := fingerprint(text, nil, err)
	if seen == r.seen {
		return nil
	}
	r.seen, r.offered = seen, nil
	if err != nil {
		return err
	}
	chain, err := parseChain(text)
	if err != nil {
		return fmt.Errorf("CA %s: %w", r.path, err)
	}
	if seen == r.used {
		return nil // as it was before something broken stood there
	}
	r.offered, r.offer = x509.NewCertPool(), chain
	for _, c := range chain {
		r.offered.AddCert(c)
	}
	return nil
}

// accept takes what is offered into use and reports whether there was anything.
func (r *roots) accept() bool {
	if r.offered == nil {
		return false
	}
	r.pool, r.certificates, r.used, r.offered = r.offered, r.offer, r.seen, nil
	return true
}
