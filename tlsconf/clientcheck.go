package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"
)

// clientCheck is all that is asked of a client's certificate, but that the client has its
// key. It never changes.
type clientCheck struct {
	pool  *x509.CertPool // of the CA file
	cas   []*x509.Certificate
	names sanSet
	lists *revocations // nil: none are asked for
	now   func() time.Time
}

// mostCertificates is how many a client may show. Hardly any CA takes more than four.
const mostCertificates = 10

// clientError says why a certificate is refused. It holds nothing that a client sent.
// crypto/tls tells the client bad_certificate whatever it is, as a callback cannot
// choose the alert (RFC 8446, 6.2).
type clientError struct{ result, text string }

// Error says it in words.
func (e *clientError) Error() string { return "certificate of the client: " + e.text }

// verify is called for resumed sessions as well, so that all that has ended since is
// noticed there too.
func (c *clientCheck) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return nil // crypto/tls has seen to it that none is needed
	}
	chains, err := c.chains(state.PeerCertificates)
	if err != nil {
		return err
	}
	if err := c.lists.check(chains, c.now()); err != nil {
		return err
	}
	if !c.names.admits(state.PeerCertificates[0]) {
		return &clientError{resultClientName, "its names are not allowed"}
	}
	return nil
}

// chains returns the ways from a client's certificate to the CA file, at least one.
func (c *clientCheck) chains(sent []*x509.Certificate) ([][]*x509.Certificate, error) {
	if len(sent) > mostCertificates {
		return nil, &clientError{resultClientUntrusted, "it comes with too many others"}
	}
	chains, err := sent[0].Verify(x509.VerifyOptions{
		Roots: c.pool, Intermediates: c.between(sent[1:]), CurrentTime: c.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, &tls.CertificateVerificationError{UnverifiedCertificates: sent, Err: err}
	}
	return chains, nil
}

// between returns those of the sent certificates that lead to the CA file. It goes down
// from there, so that no signature is looked at but by keys of the CAs and of those whom
// they let sign. Verify alone goes up, through up to a hundred signatures by keys that a
// stranger chose, and crypto/tls leaves it nothing else.
func (c *clientCheck) between(sent []*x509.Certificate) *x509.CertPool {
	pool, left := x509.NewCertPool(), slices.Clone(sent)
	for signers := slices.Clone(c.cas); len(signers) > 0; signers = signers[1:] {
		left = slices.DeleteFunc(left, func(cert *x509.Certificate) bool {
			if string(cert.RawIssuer) != string(signers[0].RawSubject) || cert.CheckSignatureFrom(signers[0]) != nil {
				return false
			}
			pool.AddCert(cert)
			signers = append(signers, cert)
			return true
		})
	}
	return pool
}

// check returns an error unless the lists say that one of the chains is good, and of
// no chain that it is revoked.
func (r *revocations) check(chains [][]*x509.Certificate, now time.Time) error {
	if r == nil {
		return nil
	}
	good := false
	for _, chain := range chains {
		known, revoked := r.look(chain, now)
		if revoked {
			return &clientError{resultClientRevoked, "it is revoked"}
		}
		good = good || known
	}
	if !good {
		return &clientError{resultClientUnchecked, "no revocation list in force says how it stands"}
	}
	return nil
}

// look asks about each certificate of a chain. The last one is in the CA file, which
// answers for it unless a list says otherwise. What a list revokes stays so after its end.
func (r *revocations) look(chain []*x509.Certificate, now time.Time) (known, revoked bool) {
	known = r.broken == nil
	for i, cert := range chain {
		if r.fallen[string(cert.Raw)] {
			return false, true
		}
		if i == len(chain)-1 {
			break
		}
		list := r.byIssuer[string(chain[i+1].Raw)]
		if list.has(cert) {
			return false, true
		}
		known = known && list.holds(now)
	}
	return known, false
}
