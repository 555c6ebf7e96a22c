package tlsconf

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// ErrNoACME says that the issuer acme is not part of this program.
var ErrNoACME = errors.New("tls.issuer: acme is not available yet: use internal, or none with tls.files")

// openIssuer returns who signs for hosts that no file covers, nil for nobody. It
// is the place where another issuer plugs in.
func openIssuer(settings configs.TLS, now time.Time, log zerolog.Logger) (*authority, error) {
	switch settings.Issuer {
	case configs.IssuerInternal:
		return openAuthority(storage(settings.Storage), now, log)
	case configs.IssuerNone, "":
		return nil, nil
	case configs.IssuerACME:
		return nil, ErrNoACME
	}
	return nil, fmt.Errorf("tls.issuer: %q is not internal or none", settings.Issuer)
}
