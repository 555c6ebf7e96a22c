package tlsconf

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/trackgate/trackgate/configs"
)

// RequestsSeenWithin is how long it takes at most until a gate sees a request for a renewal.
const RequestsSeenWithin = 15 * time.Second

// requests is where word is left for gates that a certificate is to be renewed.
const requests = "renewals"

func requestKey(host string) string { return path.Join(requests, certmagic.StorageKeys.Safe(host)) }

// RequestRenewal leaves word in the storage of settings that the certificate of host is to
// be renewed, whichever gate finds it.
func RequestRenewal(ctx context.Context, settings *configs.Settings, host string) error {
	host = strings.ToLower(host)
	hosts := hostsOf(withTLS(settings.Listeners))
	switch {
	case settings.TLS.Issuer != configs.IssuerACME:
		return fmt.Errorf("tls.issuer is %s: only certificates of authorities (acme) are renewed on request", settings.TLS.Issuer)
	case !slices.Contains(hosts, host):
		return fmt.Errorf("%q is no host of a listener with TLS: wanted one of %s", host, strings.Join(hosts, ", "))
	}
	s, err := openStorage(settings.TLS)
	if err != nil {
		return err
	}
	if err := s.Store(ctx, requestKey(host), []byte(host)); err != nil {
		return fmt.Errorf("word for the gate cannot be left in its storage: %w", err)
	}
	return nil
}

// renewRequested has those certificates renewed for which word was left. The word is taken
// away first: a renewal that fails is not asked for again and again.
func (m *managed) renewRequested(ctx context.Context) {
	keys, err := m.storage.List(ctx, requests, false)
	if err != nil {
		return // there is none, or the storage is away
	}
	for _, host := range m.hosts() {
		if !slices.Contains(keys, requestKey(host)) || m.storage.Delete(ctx, requestKey(host)) != nil {
			continue
		}
		m.log.Info().Str("host", host).Msg("certificate is renewed on request")
		m.ask(host)
	}
}
