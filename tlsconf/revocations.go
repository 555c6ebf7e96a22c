package tlsconf

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
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
	ders, err := blocksOf(text, "X509 CRL")
	if err != nil {
		return nil, err
	}
	if len(ders) == 0 {
		ders = append(ders, text)
	}
	lists := make([]*x509.RevocationList, len(ders))
	for i, der := range ders {
		list, err := parseList(der)
		if err != nil {
			return nil, fmt.Errorf("list %d of the file %w", i+1, err)
		}
		lists[i] = list
	}
	return lists, nil
}

func parseList(der []byte) (*x509.RevocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err == nil && len(list.Raw) != len(der) {
		err = errors.New("something follows it") // x509 does not look
	}
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return list, demandPlain(list)
}

// demandPlain refuses lists that are not the whole of what a CA has revoked: those
// say so in a critical extension, and what is not understood must not be used (RFC
// 5280, 5.2 and 5.3).
func demandPlain(list *x509.RevocationList) error {
	if list.NextUpdate.IsZero() {
		return errors.New("does not say when the next one comes")
	}
	if slices.ContainsFunc(list.Extensions, narrows) {
		return errors.New("has an extension as delta lists and lists of some certificates have, or a critical one; a complete list is needed")
	}
	for _, entry := range list.RevokedCertificateEntries {
		if slices.ContainsFunc(entry.Extensions, narrows) {
			return errors.New("has an entry with an extension as indirect lists have, or a critical one; the list of each CA is needed")
		}
	}
	return nil
}

// narrows reports whether an extension may mean that a list is not what it looks like.
// Those of delta lists (27), of lists of some certificates (28) and of indirect lists (29)
// have to be critical, and of a CA that forgot it a delta list must not pass for a whole one.
func narrows(e pkix.Extension) bool {
	return e.Critical || len(e.Id) == 4 && e.Id[:3].Equal([]int{2, 5, 29}) && 27 <= e.Id[3] && e.Id[3] <= 29
}

// revocations are the lists in force. It never changes.
type revocations struct {
	broken   error                      // nothing can be relied on
	byIssuer map[string]*revocationList // by the CA's certificate
	fallen   map[string]bool            // certificates of the CA file that a list revokes
}

// revocationList is what one CA has revoked.
type revocationList struct {
	from, until time.Time
	serials     map[string]struct{}
}

func (l *revocationList) holds(now time.Time) bool {
	return l != nil && !now.Before(l.from) && now.Before(l.until)
}

func (l *revocationList) has(cert *x509.Certificate) bool {
	if l == nil {
		return false
	}
	_, revoked := l.serials[string(cert.SerialNumber.Bytes())]
	return revoked
}

// newRevocations keeps of each CA the list that it made last. A list that none of
// them signed makes all of the file worthless: it may stand for the one that is missing.
func newRevocations(file listFile, issuers []*x509.Certificate) *revocations {
	r := &revocations{broken: file.err, byIssuer: map[string]*revocationList{}, fallen: map[string]bool{}}
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
	for _, issuer := range issuers {
		r.fell(r.byIssuer[string(issuer.Raw)], issuer, issuers)
	}
	return r
}

// fell notes the certificates of the CA file that their issuer has revoked: a chain may
// end with them, and then nothing in it leads to the list.
func (r *revocations) fell(list *revocationList, issuer *x509.Certificate, certificates []*x509.Certificate) {
	for _, c := range certificates {
		if list.has(c) && string(c.RawIssuer) == string(issuer.RawSubject) && c.CheckSignatureFrom(issuer) == nil {
			r.fallen[string(c.Raw)] = true
		}
	}
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
