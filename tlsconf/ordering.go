package tlsconf

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// issuers returns those who may be asked, in order.
func (m *managed) issuers(config *certmagic.Config) []certmagic.Issuer {
	var list []certmagic.Issuer
	for _, a := range m.authorities {
		template := certmagic.ACMEIssuer{
			CA: a.directory, TestCA: a.staging, Email: m.settings.Email, Agreed: true,
			Profile: a.Profile, Logger: newZap(m.log), TrustedRoots: a.roots,
			DNS01Solver:             dnsSolver(m.settings.DNS, m.log),
			DisableHTTPChallenge:    m.doors.plain == "",
			DisableTLSALPNChallenge: m.doors.secure == "",
		}
		if a.EAB.KeyID != "" {
			template.ExternalAccount = &acme.EAB{KeyID: a.EAB.KeyID, MACKey: a.EAB.HMACKey}
		}
		if a.PreferredChain != "" {
			template.PreferredChains.RootCommonName = []string{a.PreferredChain}
		}
		m.doors.point(&template)
		list = append(list, certmagic.NewACMEIssuer(config, template))
	}
	return list
}

// event is told by certmagic what it is about to do, which an error prevents, and what it
// has done.
func (m *managed) event(ctx context.Context, event string, data map[string]any) error {
	host, _ := data["identifier"].(string)
	switch event {
	case "cert_obtaining":
		return m.book.begin(ctx, host)
	case "cert_obtained":
		m.note(m.book.succeeded(ctx, host))
		m.tell(host)
	case "cert_failed":
		err, _ := data["error"].(error)
		if ctx.Err() == nil { // else it is the gate that ends, and not the order that failed
			m.orderFailed(ctx, host, err)
		}
	}
	return nil
}

// tell says that there is a new certificate for host in the storage, or news of the one
// that is held.
func (m *managed) tell(host string) {
	select {
	case m.obtained <- host:
	default: // many at once: they are found when all are looked at
	}
}

func (m *managed) note(err error) {
	if err != nil {
		m.log.Warn().Err(err).Msg("how orders of certificates went cannot be written down")
	}
}

func (m *managed) orderFailed(ctx context.Context, host string, cause error) {
	if cause == nil {
		cause = errors.New("for an unknown reason")
	}
	order, err := m.book.failed(ctx, host, cause, m.advice(ctx, host)...)
	m.note(err)
	m.log.Error().Err(cause).Str("host", host).Strs("advice", order.Advice).Int("failures", order.Failures).Time("next", order.Next).
		Msg("order of a certificate failed")
	if replacedAlready(cause) && order.Failures == 1 {
		m.log.Info().Str("host", host).Msg("certificate is ordered again, without word of the one that it replaces")
		m.ask(host)
	}
}

// replacedAlready reports whether an authority refuses an order because it says that it
// replaces a certificate which another order replaces (RFC 9773 section 5). It would refuse
// all that say so.
func replacedAlready(err error) bool {
	var problem acme.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusConflict
}
