package tlsconf

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxCRL is room for some hundred thousand entries.
const maxCRL = 16 << 20

// listFile is a file of revocation lists (RFC 5280, 5) as it was read last.
type listFile struct {
	path  string
	seen  [sha256.Size]byte
	lists []*x509.RevocationList
	err   error // the file is broken
}

// load reads the file, if there is one to be read, and reports whether there is news.
func (f *listFile) load() bool {
	if f.path == "" {
		return false
	}
	text, err := readUpTo(maxCRL, "CRL", f.path)
	seen := fingerprint(text, nil, err)
	if seen == f.seen {
		return false
	}
	f.seen, f.lists, f.err = seen, nil, err
	if err != nil {
		return true
	}
	if f.lists, err = parseLists(text); err != nil {
		f.err = fmt.Errorf("CRL %s: %w", f.path, err)
	}
	return true
}

// parseLists reads PEM blocks "X509 CRL", or one list in DER.
func parseLists(text []byte) ([]*x509.RevocationList, error) {
	ders := [][]byte{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "X509 CRL" {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		ders = append(ders, text)
	}
	lists := make([]*x509.RevocationList, len(ders))
	for i, der := range ders {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, fmt.Errorf("list %d of the file cannot be read: %w", i+1, err)
		}
		if err := demandPlain(list); err != nil {
			return nil, fmt.Errorf("list %d of the file: %w", i+1, err)
		}
		lists[i] = list
	}
	return lists, nil
}

// demandPlain refuses lists that are not the whole of what a CA has revoked: those
// say so in a critical extension, and what is not understood must not be used (RFC
// 5280, 5.2 and 5.3).
func demandPlain(list *x509.RevocationList) error {
	if list.NextUpdate.IsZero() {
		return errors.New("it does not say when the next one comes")
	}
	critical := func(e pkix.Extension) bool { return e.Critical }
	if slices.ContainsFunc(list.Extensions, critical) {
		return errors.New("it has a critical extension, as delta lists and lists of some certificates have; a complete list is needed")
	}
	for _, entry := range list.RevokedCertificateEntries {
		if slices.ContainsFunc(entry.Extensions, critical) {
			return errors.New("an entry has a critical extension, as indirect lists have; the list of each CA is needed")
		}
	}
	return nil
}

// revocations are the lists in force. It never changes.
type revocations struct {
	broken   error                      // nothing can be relied on
	byIssuer map[string]*revocationList // by the CA's certificate
}

// revocationList is what one CA has revoked.
type revocationList struct {
	from, until time.Time
	serials     map[string]struct{}
}

func (l *revocationList) holds(now time.Time) bool { return !now.Before(l.from) && now.Before(l.until) }

// newRevocations keeps of each CA the list that it made last. A list that none of
// them signed makes all of the file worthless: it may stand for the one that is missing.
func newRevocations(file listFile, issuers []*x509.Certificate) *revocations {
	r := &revocations{broken: file.err, byIssuer: map[string]*revocationList{}}
	if r.broken != nil {
		return r
	}
	for i, list := range file.lists {
		signers := signersOf(list, issuers)
		if len(signers) == 0 {
			r.broken = fmt.Errorf("CRL %s: list %d of the file (%s) is not signed by a CA of the CA file", file.path, i+1, nameOf(list.Issuer))
			return r
		}
		for _, signer := range signers {
			r.keepLatest(string(signer.Raw), list)
		}
	}
	return r
}

// signersOf returns the certificates of whoever signed a list: there are two of one CA
// while its certificate is renewed.
func signersOf(list *x509.RevocationList, issuers []*x509.Certificate) []*x509.Certificate {
	var signers []*x509.Certificate
	for _, c := range issuers {
		if string(c.RawSubject) == string(list.RawIssuer) && list.CheckSignatureFrom(c) == nil {
			signers = append(signers, c)
		}
	}
	return signers
}

func (r *revocations) keepLatest(issuer string, list *x509.RevocationList) {
	if old := r.byIssuer[issuer]; old != nil && !list.ThisUpdate.After(old.from) {
		return
	}
	kept := &revocationList{from: list.ThisUpdate, until: list.NextUpdate, serials: map[string]struct{}{}}
	for _, entry := range list.RevokedCertificateEntries {
		kept.serials[string(entry.SerialNumber.Bytes())] = struct{}{}
	}
	r.byIssuer[issuer] = kept
}

// fault returns why certificates are refused at this time, nil if they are not.
func (r *revocations) fault(now time.Time) error {
	if r == nil || r.broken != nil {
		return r.brokenness()
	}
	for _, list := range r.byIssuer {
		if !list.holds(now) {
			return fmt.Errorf("a list is in force from %s to %s, and now is %s",
				list.from.Format(time.RFC3339), list.until.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func (r *revocations) brokenness() error {
	if r == nil {
		return nil
	}
	return r.broken
}
