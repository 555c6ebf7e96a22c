package tlsconf

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"slices"

	"github.com/caddyserver/certmagic"
)

// keepUp has missing certificates ordered, repeats renewals that have failed, and leaves
// all others to certmagic. What certmagic repeats by itself it has locked all the while,
// and knows nothing of the book.
func (m *managed) keepUp(ctx context.Context, config *certmagic.Config) {
	for _, host := range m.hosts() {
		held := m.holds(host)
		switch {
		case m.clerk.busy(host):
		case held && !m.isHanded(host):
			m.clerk.give(host, func() { m.handOver(ctx, config, host) })
		case held && m.book.of(host).Failures == 0:
		case m.book.begin(ctx, host) == nil:
			m.clerk.give(host, func() { m.order(ctx, config, host) })
		}
	}
}

// isHanded reports whether certmagic looks after the certificate of host.
func (m *managed) isHanded(host string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.handed[host] {
		m.handed[host] = slices.ContainsFunc(m.cache.AllMatchingCertificates(host), func(c certmagic.Certificate) bool {
			return slices.Contains(c.Names, host)
		})
	}
	return m.handed[host]
}

// handOver leaves the certificate of host to certmagic, which gives a host up for good whose
// storage is away when it is told of it.
func (m *managed) handOver(ctx context.Context, config *certmagic.Config, host string) {
	err := m.demandAnswer(ctx, host)
	if m.tellOfStorage(ctx, host, err); err == nil {
		m.manage(ctx, config, host)
	}
}

func (m *managed) manage(ctx context.Context, config *certmagic.Config, host string) {
	if err := config.ManageAsync(ctx, []string{host}); err != nil {
		m.log.Error().Err(err).Str("host", host).Msg("certificate is not renewed")
	}
}

// demandAnswer returns an error where it is not known whether the storage has a certificate
// for host: one that may be there is not ordered.
func (m *managed) demandAnswer(ctx context.Context, host string) error {
	for _, a := range m.authorities {
		_, err := m.storage.Load(ctx, certmagic.StorageKeys.SiteCert(a.key(), host))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errGarbled) {
			return err
		}
	}
	return nil
}

// tellOfStorage logs once that nothing can be done for host, and once that it can again.
func (m *managed) tellOfStorage(ctx context.Context, host string, err error) {
	if ctx.Err() != nil || !m.book.stall(host, err != nil) {
		return
	}
	if err != nil {
		m.log.Error().Err(err).Str("host", host).Msg("certificate is neither ordered nor renewed, which is tried again")
		return
	}
	m.log.Info().Str("host", host).Msg("certificate is ordered and renewed from now on")
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
		err := m.demandAnswer(ctx, host)
		if err == nil {
			err = config.ObtainCertSync(attempt, host)
		}
		m.end(ctx, host, err)
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
	err := m.plain.RenewCertSync(first, host, true)
	if err != nil && ctx.Err() == nil && !m.book.open(host) && m.book.of(host).Failures == 0 {
		m.log.Error().Err(err).Str("host", host).Msg("certificate could not be renewed")
		return
	}
	m.end(ctx, host, err)
}

// end tells how it went, where events did not. An order whose certificate could not be kept
// has failed as well; one that could not begin, as the storage is away, has not.
func (m *managed) end(ctx context.Context, host string, err error) {
	var wait *WaitError
	failed := m.book.of(host).Failures > 0
	switch {
	case errors.As(err, &wait) || ctx.Err() != nil:
	case err == nil:
		m.tellOfStorage(ctx, host, nil)
		m.tell(host)
		if m.holds(host) { // else it is left to certmagic when it is in use
			m.follow(ctx, host)
		}
	case m.book.open(host):
		m.orderFailed(ctx, host, err)
	case !failed:
		m.tellOfStorage(ctx, host, err)
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
