package tlsconf

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// guard lets in only clients of one listener that show the right certificate. Each
// change of its files is a new configuration with ticket keys of its own: a session
// of before is worth nothing after it (CVE-2025-68121), and neither is one of a
// handshake that was under way, whose certificate is held against the rules of its end.
type guard struct {
	settings configs.ClientCertificates
	base     *tls.Config // what the listener answers with in all else
	names    sanSet
	now      func() time.Time
	log      zerolog.Logger
	config   atomic.Pointer[tls.Config]
	check    atomic.Pointer[clientCheck]

	// What follows belongs to New, and then to the goroutine of Keeper.Run.
	roots   roots
	list    listFile
	lists   *revocations // in use; nil where none are asked for
	refused bool         // it is said that every certificate is refused
	tickets *tickets
}

// postGuards builds a guard for each listener that asks for certificates.
func (k *Keeper) postGuards() error {
	var mistakes []error
	k.guards = map[string]*guard{}
	for _, l := range k.listeners {
		if l.ClientCertificates.CA == "" || k.inner[l.Name] == nil { // prepare has said why
			continue
		}
		g, err := newGuard(l.ClientCertificates, k.inner[l.Name], k.now, k.log.With().Str("listener", l.Name).Logger())
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("listener %q: client_certificates: %w", l.Name, err))
			continue
		}
		k.guards[l.Name] = g
	}
	return errors.Join(mistakes...)
}

// newGuard reads the files. Lists that are past their time are no mistake here: they
// refuse clients, and the other listeners may start.
func newGuard(settings configs.ClientCertificates, base *tls.Config, now func() time.Time, log zerolog.Logger) (*guard, error) {
	names, err := newSANSet(settings.Names)
	g := &guard{settings: settings, base: base, names: names, now: now, log: log}
	g.roots.path, g.list.path = settings.CA, settings.CRL
	if err := errors.Join(err, g.roots.load()); err != nil {
		return nil, err
	}
	g.roots.accept()
	g.list.load()
	lists := g.signedLists()
	if err := lists.brokenness(); err != nil {
		return nil, err
	}
	g.publish(lists)
	return g, nil
}

// refresh looks at the files. A CA that is broken leaves the old one in use; lists
// that are broken let nobody in until they are repaired.
func (g *guard) refresh() {
	if err := g.roots.load(); err != nil {
		g.log.Error().Err(err).Msg("new CA of clients is broken, the old one stays in use")
	}
	newCA := g.roots.accept()
	newList := g.list.load()
	if newCA || newList {
		g.publish(g.signedLists())
		g.log.Info().Str("ca", g.settings.CA).Str("crl", g.settings.CRL).Msg("new rules for certificates of clients in use")
	}
	g.tellOfLists()
}

// signedLists returns the lists as far as the CAs in use have signed them; nil where
// none are asked for.
func (g *guard) signedLists() *revocations {
	if g.settings.CRL == "" {
		return nil
	}
	return newRevocations(g.list, g.roots.certificates)
}

// publish puts a new configuration in place.
func (g *guard) publish(lists *revocations) {
	g.check.Store(&clientCheck{pool: g.roots.pool, cas: g.roots.certificates, names: g.names, lists: lists, now: g.now})
	g.tickets = newTickets()
	c := g.base.Clone()
	c.ClientAuth, c.ClientCAs = tls.RequireAnyClientCert, g.roots.pool // which it only names to clients
	if g.settings.Mode == configs.CertificateOptional {
		c.ClientAuth = tls.RequestClientCert
	}
	c.VerifyConnection = g.verify // of resumed connections as well
	c.Time = g.now
	c.WrapSession, c.UnwrapSession = g.tickets.wrap, g.tickets.unwrap
	c.SetSessionTicketKeys([][32]byte{randomKey()})
	g.lists = lists
	g.config.Store(c)
	g.tellOfLists()
}

// verify is VerifyConnection of all configurations.
func (g *guard) verify(state tls.ConnectionState) error { return g.check.Load().verify(state) }

// tellOfLists says once that lists refuse everybody, and once that they do no more.
func (g *guard) tellOfLists() {
	err := g.lists.fault(g.now())
	if refused := err != nil; refused != g.refused {
		g.refused = refused
		if refused {
			g.log.Error().Err(err).Msg("revocation lists of clients cannot be relied on: certificates are refused")
			return
		}
		g.log.Info().Str("crl", g.settings.CRL).Msg("revocation lists of clients are good again")
	}
}
