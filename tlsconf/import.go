package tlsconf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/certmagic"

	"github.com/trackgate/trackgate/configs"
)

// Import puts a certificate that was had in another way, as from certbot, into the storage
// of settings, for each host that it covers. It is shown from the next look on, and renewed
// when it is due, so that a gate that takes over orders nothing. It returns the hosts.
func Import(ctx context.Context, settings *configs.Settings, files configs.KeyPair) (hosts []string, err error) {
	if settings.TLS.Issuer != configs.IssuerACME {
		return nil, fmt.Errorf("tls.issuer is %s: only with acme are certificates kept in tls.storage; name the files in tls.files", settings.TLS.Issuer)
	}
	p := pair{files: files}
	if err := p.load(); err != nil {
		return nil, err
	}
	all := hostsOf(withTLS(settings.Listeners))
	for _, host := range all {
		if covers(p.offered.Leaf, host) {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("certificate %s is for %s: wanted one of %s", files.Certificate, strings.Join(p.offered.Leaf.DNSNames, ", "), strings.Join(all, ", "))
	}
	certPEM, keyPEM, err := p.read()
	if err != nil {
		return nil, err
	}
	s, err := openStorage(settings.TLS)
	if err != nil {
		return nil, err
	}
	authority := authoritiesOf(settings.TLS.ACME)[0].key()
	var errs []error
	for _, host := range hosts {
		errs = append(errs, s.keep(ctx, authority, host, certPEM, keyPEM))
	}
	return hosts, errors.Join(errs...)
}

// keep stores a certificate as certmagic would.
func (b *bundles) keep(ctx context.Context, authority, host string, certPEM, keyPEM []byte) error {
	meta, err := json.Marshal(certmagic.CertificateResource{SANs: []string{host}})
	if err != nil {
		return err
	}
	keys := certmagic.StorageKeys
	return errors.Join(
		b.Store(ctx, keys.SitePrivateKey(authority, host), keyPEM),
		b.Store(ctx, keys.SiteCert(authority, host), certPEM),
		b.Store(ctx, keys.SiteMeta(authority, host), meta),
	)
}
