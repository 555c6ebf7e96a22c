package tlsconf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// Keeper holds the certificates of the gate. Config, Certificates and CAFile may
// be called at any time; Run may be called once.
type Keeper struct {
	log       zerolog.Logger
	now       func() time.Time
	pace      pace
	settings  configs.TLS
	listeners []configs.Listener // those with TLS
	concerns  []concern          // of all
	inner     map[string]*tls.Config
	guards    map[string]*guard // of listeners that clients show certificates to
	tickets   []*tickets
	sharing   *sharing                  // nil: ticket keys are our own
	keyed     atomic.Pointer[time.Time] // since when the current ticket keys are in use
	table     atomic.Pointer[table]
	authority atomic.Pointer[authority] // nil until a host needs the internal CA
	ech       []tls.EncryptedClientHelloKey
	managed   *managed // nil with another issuer than acme

	// What follows belongs to New, and then to the goroutine of Run.
	pairs  []pair
	leaves map[string]heldCert // by listener
	warned time.Time
	chosen span // when what was found last is to be looked at again
}

// New loads the certificates for every TLS host of listeners. The error joins all
// mistakes; each names the file or the host and what to do about it.
func New(settings configs.TLS, listeners []configs.Listener, log zerolog.Logger) (*Keeper, error) {
	k, err := newKeeper(settings, listeners, log, time.Now)
	if err != nil || k.managed == nil {
		return k, err
	}
	if err := prepareStorage(settings.Storage); err != nil {
		return nil, err
	}
	if settings.Redis.Address != "" {
		k.shareTickets(k.managed.storage)
	}
	return k, nil
}

// prepareStorage makes the folder where it is missing.
func prepareStorage(folder string) error {
	if err := storage(folder).open(); err != nil {
		return fmt.Errorf("tls.storage %s: certificates cannot be kept there: %w", folder, err)
	}
	return nil
}

// Examine is New for somebody who only wants to know: it leaves no trace. Of the issuer
// internal, which makes its CA when it is first needed, it shows no certificates.
func Examine(settings configs.TLS, listeners []configs.Listener) (*Keeper, error) {
	k := blank(settings, zerolog.Nop(), time.Now)
	if settings.Issuer != configs.IssuerInternal {
		return k.load(listeners, nil)
	}
	k.listeners, k.concerns = withTLS(listeners), concernsOf(listeners)
	k.table.Store(&table{})
	return k, k.readFiles()
}

func newKeeper(settings configs.TLS, listeners []configs.Listener, log zerolog.Logger, now func() time.Time) (*Keeper, error) {
	return blank(settings, log, now).load(listeners, copyOf(settings))
}

// blank is a Keeper that has looked at nothing.
func blank(settings configs.TLS, log zerolog.Logger, now func() time.Time) *Keeper {
	k := &Keeper{settings: settings, log: log, now: now, pace: usualPace(), leaves: map[string]heldCert{}}
	k.keyedSince(time.Now())
	return k
}

// load looks at all that settings name. copy is where what is read of a shared storage is
// kept, nil for nowhere.
func (k *Keeper) load(listeners []configs.Listener, copy *bundles) (*Keeper, error) {
	k.listeners, k.concerns = withTLS(listeners), concernsOf(listeners)
	if len(k.listeners) == 0 {
		k.table.Store(&table{})
		return k, nil
	}
	err := errors.Join(k.readFiles(), k.openManaged(listeners, copy))
	if err := errors.Join(err, k.publish()); err != nil {
		return nil, err
	}
	k.warnOfExpiry()
	return k, nil
}

// readFiles looks at the files of the operator.
func (k *Keeper) readFiles() error {
	return errors.Join(k.loadECH(k.settings.ECH), k.prepare(k.settings), k.postGuards(), k.loadPairs(k.settings.Files))
}

// prepare builds what each listener answers with; it never changes again.
func (k *Keeper) prepare(settings configs.TLS) error {
	k.inner = make(map[string]*tls.Config, len(k.listeners))
	for _, l := range k.listeners {
		o, err := offerOf(l, settings)
		if err != nil {
			return err
		}
		t := newTickets()
		k.tickets = append(k.tickets, t)
		c := listenerConfig(o, t, k.certificate)
		c.EncryptedClientHelloKeys = k.ech // for the keys that a client with an old one is told
		k.inner[l.Name] = c
	}
	return nil
}

func (k *Keeper) loadPairs(files []configs.KeyPair) error {
	var mistakes []error
	for _, f := range files {
		p := pair{files: f}
		if err := p.load(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("tls.files: %w", err))
			continue
		}
		p.accept()
		k.pairs = append(k.pairs, p)
		k.warnIfUseless(p)
	}
	return errors.Join(mistakes...)
}

// openManaged reads what authorities have signed before, where hosts are theirs.
func (k *Keeper) openManaged(listeners []configs.Listener, copy *bundles) error {
	if k.settings.Issuer != configs.IssuerACME {
		return nil
	}
	m, err := newManaged(k.settings, listeners, k.orderable(), k.log)
	if err != nil {
		return err
	}
	k.managed, m.copy = m, copy
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	m.read(ctx, k.orderable())
	return nil
}

// orderable returns the hosts that no file covers.
func (k *Keeper) orderable() []string {
	return uncovered(hostsOf(k.listeners), fromFiles(k.pairs), k.now())
}

// publish builds the table of everything held and puts it in place. When a host
// would be left without a certificate, the old table stays.
func (k *Keeper) publish() error {
	now := k.now()
	held, managed := fromFiles(k.pairs), k.managed.certificates()
	leaves, err := k.signMissing(held, now)
	held = append(held, leaves...)
	k.chosen = around(now, append(slices.Collect(maps.Values(managed)), held...)) // also after an error: it is not tried all the time
	if err != nil {
		return err
	}
	t := newTable(k.listeners, held, managed, now)
	if err := k.demandCover(t); err != nil {
		return err
	}
	k.table.Store(t)
	return nil
}

// signMissing returns a leaf for each listener with hosts that no file covers. A
// leaf that is good for another while is used again.
func (k *Keeper) signMissing(held []heldCert, now time.Time) ([]heldCert, error) {
	var leaves []heldCert
	for _, l := range k.listeners {
		hosts := uncovered(l.Hosts, held, now)
		if len(hosts) == 0 {
			continue
		}
		a, err := k.issuer(now)
		if a == nil || err != nil {
			return nil, err
		}
		leaf, err := k.leafFor(a, l.Name, hosts, now)
		if err != nil {
			return nil, fmt.Errorf("listener %q: %w", l.Name, err)
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// issuer opens the internal CA when the first host needs it, so that a gate that
// has files for all hosts needs no storage. It is nil where files are all there is.
func (k *Keeper) issuer(now time.Time) (*authority, error) {
	if a := k.authority.Load(); a != nil {
		return a, nil
	}
	a, err := openIssuer(k.settings, now, k.log)
	if err == nil {
		k.authority.Store(a)
	}
	return a, err
}

func (k *Keeper) leafFor(a *authority, listener string, hosts []string, now time.Time) (heldCert, error) {
	old, ok := k.leaves[listener]
	if ok && !due(old.cert.Leaf, now) && coversAll(old.cert.Leaf, hosts) {
		return old, nil
	}
	cert, err := a.issue(hosts, now)
	if err != nil {
		return heldCert{}, err
	}
	leaf := heldCert{cert: cert, source: string(configs.IssuerInternal), ours: true}
	k.leaves[listener] = leaf
	k.log.Info().Str("listener", listener).Strs("hosts", hosts).Time("not_after", cert.Leaf.NotAfter).
		Msg("certificate signed by the internal CA")
	return leaf, nil
}

// demandCover returns a mistake for each host that t has nothing for, unless something
// is on its way.
func (k *Keeper) demandCover(t *table) error {
	var mistakes []error
	if k.managed != nil {
		return nil
	}
	for _, l := range k.listeners {
		for _, host := range l.Hosts {
			if t.find(keyOf(host)) == nil {
				mistakes = append(mistakes, &UncoveredError{Listener: l.Name, Host: host})
			}
		}
	}
	return errors.Join(mistakes...)
}

// UncoveredError says that there is no certificate for a host of a listener.
type UncoveredError struct {
	Listener string
	Host     string
}

// Error names the host and what to do.
func (e *UncoveredError) Error() string {
	return fmt.Sprintf("listener %q: no certificate covers the host %q: add a pair that does to tls.files, or set tls.issuer to acme or internal",
		e.Listener, e.Host)
}

// CAFile returns the path of the internal CA's certificate, which clients may
// trust; "" when the internal CA signs nothing.
func (k *Keeper) CAFile() string {
	if a := k.authority.Load(); a != nil {
		return a.file
	}
	return ""
}

// Roots returns the internal CA alone; nil when it signs nothing.
func (k *Keeper) Roots() *x509.CertPool {
	a := k.authority.Load()
	if a == nil {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return roots
}

// certificate is GetCertificate of every listener.
func (k *Keeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	found := k.table.Load().find(helloKey(hello))
	if len(found) == 1 {
		return found[0].cert, nil
	}
	return firstSupported(hello, found), nil
}

func firstSupported(hello *tls.ClientHelloInfo, found []heldCert) *tls.Certificate {
	for _, h := range found {
		if hello.SupportsCertificate(h.cert) == nil {
			return h.cert
		}
	}
	if len(found) > 0 {
		return found[0].cert // and crypto/tls says what does not fit
	}
	return nil
}

func withTLS(listeners []configs.Listener) []configs.Listener {
	var chosen []configs.Listener
	for _, l := range listeners {
		if l.TLS {
			chosen = append(chosen, l)
		}
	}
	return chosen
}
