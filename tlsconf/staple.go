package tlsconf

import (
	"bytes"
	"context"
	"time"

	"github.com/caddyserver/certmagic"
)

// staple takes over what responders say of what is held (RFC 6066, 8), and lets go of what
// is over. It reports whether there was anything.
func (m *managed) staple() (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for host, h := range m.held {
		staple := m.responders.staple(host, h.cert.Leaf)
		if bytes.Equal(staple, h.cert.OCSPStaple) {
			continue
		}
		stapled := *h.cert // the one in use never changes
		stapled.OCSPStaple = staple
		h.cert = &stapled
		m.held[host] = h
		news = true
	}
	return news
}

// attend has responders asked again and again, and of what is new at once, until ctx ends.
func (m *managed) attend(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		m.inquire(ctx)
		select {
		case <-ctx.Done():
			return
		case <-m.taken:
		case <-ticker.C:
		}
	}
}

// inquire asks about all that is held, where it is time to, and replaces what is revoked.
func (m *managed) inquire(ctx context.Context) {
	for host, h := range m.certificates() {
		leaf := h.cert.Leaf
		if m.responders.due(host, leaf) && ctx.Err() == nil {
			m.responders.inquire(ctx, host, h.cert)
			m.tell(host)
		}
		if m.responders.revoked(host, leaf) {
			m.replace(ctx, host)
		}
	}
}

// replace has a certificate that is revoked signed anew when its turn has come. The old one
// is shown meanwhile: some clients do not ask.
func (m *managed) replace(ctx context.Context, host string) {
	config := m.ordering.Load()
	if config == nil || m.clerk.busy(host) || m.book.begin(ctx, host) != nil {
		return
	}
	m.clerk.give(host, func() { m.order(ctx, config, host) })
}

// follow has certmagic care for the certificate in the storage, and no more for the one
// before: it would ask the authority when that one is to be renewed.
func (m *managed) follow(ctx context.Context, host string) {
	config := m.ordering.Load()
	if config == nil {
		return
	}
	m.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: host}})
	m.mu.Lock()
	delete(m.handed, host) // keepUp sees to it, if it does not come to that here
	m.mu.Unlock()
	m.manage(ctx, config, host)
}
