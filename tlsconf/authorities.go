package tlsconf

import (
	"crypto/x509"
	"fmt"

	"github.com/caddyserver/certmagic"

	"github.com/trackgate/trackgate/configs"
)

// authorityACME is one of settings with what is known of its name.
type authorityACME struct {
	configs.Authority
	name      string         // as the settings have it
	directory string         // URL
	staging   string         // URL of the directory to try with after a failure; "" for none
	roots     *x509.CertPool // who may sign for the directory's host; nil is the system's
}

// Authority returns the name of the authority that is asked first.
func Authority(settings configs.ACME) string { return authoritiesOf(settings)[0].name }

// authoritiesOf resolves the names of directories.
func authoritiesOf(settings configs.ACME) []authorityACME {
	var list []authorityACME
	for _, a := range settings.Authorities() {
		known := authorityACME{Authority: a, name: a.Directory, directory: a.Directory}
		switch a.Directory {
		case configs.LetsEncrypt, "":
			known.name, known.directory, known.staging = configs.LetsEncrypt, certmagic.LetsEncryptProductionCA, certmagic.LetsEncryptStagingCA
		case configs.LetsEncryptStaging:
			known.directory = certmagic.LetsEncryptStagingCA
		case configs.ZeroSSL:
			known.directory = certmagic.ZeroSSLProductionCA
		}
		list = append(list, known)
	}
	return list
}

// trustedAuthorities is authoritiesOf with the CA files read.
func trustedAuthorities(settings configs.ACME) ([]authorityACME, error) {
	list := authoritiesOf(settings)
	for i := range list {
		var err error
		if list[i].roots, err = ReadRoots(list[i].CA); err != nil {
			return nil, fmt.Errorf("tls.acme: authority %s: %w", list[i].name, err)
		}
	}
	return list, nil
}

// key is what certmagic calls the authority in the storage.
func (a authorityACME) key() string {
	issuer := certmagic.ACMEIssuer{CA: a.directory}
	return issuer.IssuerKey()
}
