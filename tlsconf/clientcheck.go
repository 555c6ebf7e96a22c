package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// clientCheck is what is asked of a client's certificate beyond its signature. It
// never changes.
type clientCheck struct {
	names sanSet
	lists *revocations // nil: none are asked for
	now   func() time.Time
}

// clientError says why a certificate is refused. It holds nothing that a client sent.
// crypto/tls tells the client bad_certificate whatever it is, as a callback cannot
// choose the alert (RFC 8446, 6.2); what it finds itself has its own.
type clientError struct{ result, text string }

// Error says it in words.
func (e *clientError) Error() string { return "certificate of the client: " + e.text }

// verify is VerifyConnection. It is called for resumed sessions as well, so that a
// list that has ended since is noticed there too.
func (c *clientCheck) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return nil // crypto/tls has seen to it that none is needed
	}
	if err := c.lists.check(state.VerifiedChains, c.now()); err != nil {
		return err
	}
	if !c.names.admits(state.PeerCertificates[0]) {
		return &clientError{resultClientName, "its names are not allowed"}
	}
	return nil
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
