package tlsconf

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// openIssuer returns who signs at once for hosts that no file covers, nil for nobody.
func openIssuer(settings configs.TLS, now time.Time, log zerolog.Logger) (*authority, error) {
	switch settings.Issuer {
	case configs.IssuerInternal:
		return openAuthority(storage(settings.Storage), now, log)
	case configs.IssuerACME, configs.IssuerNone, "":
		return nil, nil
	}
	return nil, fmt.Errorf("tls.issuer: %q is not acme, internal or none", settings.Issuer)
}
