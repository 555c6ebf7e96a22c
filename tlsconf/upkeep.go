package tlsconf

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/caddyserver/certmagic"
)

// keepUp has missing certificates ordered, repeats renewals that have failed, and leaves
// all others to certmagic, once each. What certmagic repeats by itself it has locked all
// the while, and knows nothing of the book.
func (m *managed) keepUp(ctx context.Context, config *certmagic.Config) {
	for _, host := range m.hosts() {
		held := m.holds(host)
		if held && !m.handed[host] {
			m.handed[host] = true
			m.manage(ctx, config, host)
		}
		if held && m.book.of(host).Failures == 0 || m.clerk.busy(host) || m.book.begin(ctx, host) != nil {
			continue
		}
		m.clerk.give(host, func() { m.order(ctx, config, host) })
	}
}

func (m *managed) manage(ctx context.Context, config *certmagic.Config, host string) {
	if err := config.ManageAsync(ctx, []string{host}); err != nil {
		m.log.Error().Err(err).Str("host", host).Msg("certificate is not renewed")
	}
}

// order makes one order for a host that has no certificate, or one that is revoked, or whose
// renewal has failed: as a repetition, which tries with the authority's staging first, where
// there was a failure.
func (m *managed) order(ctx context.Context, config *certmagic.Config, host string) {
	failures := m.book.of(host).Failures
	attempt := context.WithValue(ctx, certmagic.AttemptsCtxKey, &failures)
	leaf := m.leaf(host)
	switch {
	case ctx.Err() != nil:
	case leaf == nil:
		m.end(ctx, host, config.ObtainCertSync(attempt, host))
	case m.isReplaced(ctx, host, leaf):
		m.end(ctx, host, nil)
	default: // one that is not due by its own word was revoked or called back (RFC 9773)
		revoked := m.responders.revoked(host, leaf)
		if revoked {
			m.log.Error().Str("host", host).Msg("certificate is revoked, a new one is ordered")
		}
		m.end(ctx, host, m.plain.RenewCertSync(attempt, host, revoked || !due(leaf, m.book.now())))
	}
}

// isReplaced reports whether another gate with the same storage has had a better one signed
// than the one that is held.
func (m *managed) isReplaced(ctx context.Context, host string, leaf *x509.Certificate) bool {
	newest, err := m.newest(ctx, host)
	return err == nil && replaces(newest.cert.Leaf, leaf, m.book.now()) && !m.responders.revoked(host, newest.cert.Leaf)
}

// renew makes one order for host, due or not, because somebody asks for it.
func (m *managed) renew(ctx context.Context, host string) {
	m.book.pardon(ctx, host)
	if !m.holds(host) {
		m.order(ctx, m.plain, host)
		return
	}
	first := context.WithValue(ctx, certmagic.AttemptsCtxKey, new(int))
	m.end(ctx, host, m.plain.RenewCertSync(first, host, true))
}

// end tells how it went, where events did not. An order whose certificate could not be kept
// has failed as well; one that could not begin, as the storage is away, has not.
func (m *managed) end(ctx context.Context, host string, err error) {
	var wait *WaitError
	switch {
	case err == nil:
		m.tell(host)
		if m.holds(host) { // else it is left to certmagic when it is in use
			m.follow(ctx, host)
		}
	case errors.As(err, &wait) || ctx.Err() != nil:
	case m.book.open(host):
		m.orderFailed(ctx, host, err)
	case m.book.of(host).Failures == 0:
		m.log.Error().Err(err).Str("host", host).Msg("certificate cannot be ordered now")
	}
}

// tell says that there is a new certificate for host in the storage, or news of the one
// that is held.
func (m *managed) tell(host string) {
	select {
	case m.obtained <- host:
	default: // many at once: they are found when all are looked at
	}
}

// ask has a certificate ordered at once, without word of the one that it replaces.
func (m *managed) ask(host string) {
	select {
	case m.again <- host:
	default: // many wait already; its turn comes when it is due
	}
}

// repeat orders what is asked for until ctx ends.
func (m *managed) repeat(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case host := <-m.again:
			m.clerk.give(host, func() { m.renew(ctx, host) })
		}
	}
}
