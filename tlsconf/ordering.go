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
		return m.begin(ctx, host)
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

// begin returns an error for an order that must not be made now. certmagic's own are the
// first attempts at a renewal: those that follow are made by keepUp.
func (m *managed) begin(ctx context.Context, host string) error {
	if err := m.book.begin(ctx, host); err != nil {
		return err
	}
	if order := m.book.of(host); order.Failures > 0 && ctx.Value(certmagic.AttemptsCtxKey) == nil {
		return &WaitError{Host: host, Order: order}
	}
	advice := m.advice(ctx, host)
	if len(advice) > 0 {
		m.log.Warn().Str("host", host).Strs("advice", advice).Msg("certificate is ordered, but that may fail")
	}
	m.book.opened(host, advice)
	return nil
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
	order, err := m.book.failed(ctx, host, cause)
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
