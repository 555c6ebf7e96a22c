package tlsconf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/trackgate/trackgate/configs"
)

// managed are the certificates that authorities sign (ACME, RFC 8555). certmagic has them
// signed and renewed, and keeps them in the storage. What is shown to clients is read from
// there and held in memory: a handshake asks neither certmagic nor the storage.
type managed struct {
	log         zerolog.Logger
	settings    configs.ACME
	authorities []authorityACME
	storage     *bundles
	copy        *bundles // of a storage that is shared; nil for none
	book        *book
	ours        atomic.Pointer[[]string] // hosts whose certificates are ordered, sorted
	asking      *rate.Limiter
	doors       doors
	adviser     adviser
	responders  *responders
	obtained    chan string                      // hosts; a full one is no loss, all are looked at from time to time
	again       chan string                      // hosts to be ordered at once
	taken       chan struct{}                    // gets word when something new is held
	ordering    atomic.Pointer[certmagic.Config] // nil but between start and its end
	cache       *certmagic.Cache                 // of start
	plain       *certmagic.Config                // of start; its orders say nothing of what they replace
	clerk       *clerk

	mu     sync.Mutex
	held   map[string]heldCert // by host
	handed map[string]bool     // hosts whose certificates certmagic looks after
}

// newManaged looks at nothing and asks nobody: read and start do.
func newManaged(settings configs.TLS, listeners []configs.Listener, hosts []string, log zerolog.Logger) (*managed, error) {
	authorities, err := trustedAuthorities(settings.ACME)
	if err != nil {
		return nil, err
	}
	kept, err := openStorage(settings)
	if err != nil {
		return nil, err
	}
	m := &managed{
		log: log, settings: settings.ACME, authorities: authorities, storage: kept, book: newBook(kept, time.Now),
		doors: doorsOf(listeners, settings.ACME.Challenges), asking: newAsking(), adviser: newAdviser(settings.ACME.DNS.Resolvers),
		responders: newResponders(kept, time.Now, log), clerk: newClerk(), handed: map[string]bool{},
		held: map[string]heldCert{}, obtained: make(chan string, 64), again: make(chan string, 64), taken: make(chan struct{}, 1),
	}
	m.ours.Store(&hosts)
	return m, m.demandWay(hosts)
}

// demandWay returns a mistake for each host that no authority could look at.
func (m *managed) demandWay(hosts []string) error {
	if m.settings.DNS.Provider != "" {
		return nil
	}
	var mistakes []error
	for _, host := range hosts {
		if strings.HasPrefix(host, "*.") {
			mistakes = append(mistakes, fmt.Errorf("host %q: authorities sign wildcards only with dns-01: set tls.acme.dns", host))
		}
	}
	if m.doors == (doors{}) && len(hosts) > 0 {
		mistakes = append(mistakes, errors.New("tls.acme.challenges: no listener can answer them: "+
			"http-01 needs a redirect listener, best on port 80, tls-alpn-01 one with TLS, best on port 443"))
	}
	return errors.Join(mistakes...)
}

// certificates returns what is held, by host.
func (m *managed) certificates() map[string]heldCert {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.held)
}

// orders reports whether the certificate of host is had from an authority.
func (m *managed) orders(host string) bool {
	_, ok := slices.BinarySearch(m.hosts(), host)
	return ok
}

func (m *managed) hosts() []string { return *m.ours.Load() }

// adopt has certificates ordered for those of hosts, sorted, that have none ordered yet:
// the files that covered them have ended.
func (m *managed) adopt(hosts []string) {
	added := slices.DeleteFunc(slices.Clone(hosts), m.orders)
	if len(added) == 0 {
		return
	}
	all := slices.Concat(m.hosts(), added)
	slices.Sort(all)
	m.ours.Store(&all)
	m.log.Warn().Strs("hosts", added).Msg("files cover these hosts no longer: certificates are ordered")
}

// lastOrder returns how the last order for host went.
func (m *managed) lastOrder(host string) Order {
	if m == nil || !m.orders(host) {
		return Order{}
	}
	return m.book.of(host)
}

// read looks for newer certificates of hosts in the storage. It reports whether there
// were any. What is held stays when the storage does not answer.
func (m *managed) read(ctx context.Context, hosts []string) (news bool) {
	for _, host := range hosts {
		found, err := m.newest(ctx, host)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.log.Warn().Err(err).Str("host", host).Msg("certificate cannot be read from the storage")
		}
		if found.cert != nil && m.take(host, found) {
			news = true
		}
	}
	return news
}

// take holds what was found, if it is newer than what is held, and no worse.
func (m *managed) take(host string, found heldCert) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.held[host]; ok && !replaces(found.cert.Leaf, old.cert.Leaf, m.book.now()) {
		return false
	}
	m.held[host] = found
	m.book.settle(host)
	select {
	case m.taken <- struct{}{}:
	default:
	}
	m.log.Info().Str("host", host).Str("source", found.source).Time("not_after", found.cert.Leaf.NotAfter).
		Msg("certificate of an authority in use")
	return true
}

// replaces reports whether a leaf is newer than the one in use. One that is not valid yet,
// by our clock or the authority's, does not take the place of one that is.
func replaces(leaf, old *x509.Certificate, now time.Time) bool {
	if leaf.Equal(old) || validAt(old, now) && !validAt(leaf, now) {
		return false
	}
	return !leaf.NotBefore.Before(old.NotBefore)
}

// newest returns the certificate of host that was signed last.
func (m *managed) newest(ctx context.Context, host string) (newest heldCert, err error) {
	var errs []error
	for _, a := range m.authorities {
		cert, err := m.load(ctx, a.key(), host)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if newest.cert == nil || cert.Leaf.NotBefore.After(newest.cert.Leaf.NotBefore) {
			newest = heldCert{cert: cert, source: "acme: " + a.name, ours: true}
		}
	}
	if newest.cert != nil {
		return newest, nil
	}
	return newest, errors.Join(errs...)
}

func (m *managed) load(ctx context.Context, authority, host string) (*tls.Certificate, error) {
	bundle, _ := site(certmagic.StorageKeys.SiteCert(authority, host))
	whole, err := m.fetch(ctx, bundle)
	if err != nil {
		return nil, err
	}
	cert, err := parsePair(whole[".crt"], whole[".key"])
	if err == nil && !covers(cert.Leaf, host) {
		err = errors.New("it is for " + strings.Join(cert.Leaf.DNSNames, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", bundle, err)
	}
	return cert, nil
}

// wanting returns those of hosts that have no certificate, or one whose renewal may have
// come from another gate with the same storage.
func (m *managed) wanting(hosts []string, now time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		h, ok := m.held[host]
		return ok && !due(h.cert.Leaf, now)
	})
}

// start has certificates signed and renewed until ctx ends. stop waits until no order of
// ours is under way and gives back what is locked in the storage.
func (m *managed) start(ctx context.Context, p pace) (stop func()) {
	log := newZap(m.log)
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return m.ordering.Load(), nil },
		RenewCheckInterval: p.renew,
		Logger:             log,
	})
	config := m.config(false)
	m.ordering.Store(config)
	m.plain = m.config(true)
	m.keepUp(ctx, config)
	var repeating sync.WaitGroup
	repeating.Go(func() { m.repeat(ctx) })
	repeating.Go(func() { m.attend(ctx, p.poll) })
	return func() {
		m.ordering.Store(nil)
		repeating.Wait()
		m.clerk.wait()
		m.cache.Stop()
		certmagic.CleanUpOwnLocks(context.WithoutCancel(ctx), log)
		m.storage.close()
	}
}

// config returns how certmagic orders. A plain one says nothing of certificates that are
// replaced.
func (m *managed) config(plain bool) *certmagic.Config {
	c := certmagic.New(m.cache, certmagic.Config{
		Storage:    m.storage,
		KeySource:  certmagic.StandardKeyGenerator{KeyType: certmagic.KeyType(m.settings.KeyType)},
		OnEvent:    m.event,
		DisableARI: plain,
		OCSP:       certmagic.OCSPConfig{DisableStapling: true}, // we ask ourselves
		Logger:     newZap(m.log),
	})
	c.Issuers = m.issuers(c)
	return c
}

// holds reports whether there is a certificate for host.
func (m *managed) holds(host string) bool { return m.leaf(host) != nil }

// leaf returns the certificate of host, nil for none.
func (m *managed) leaf(host string) *x509.Certificate {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h, ok := m.held[host]; ok {
		return h.cert.Leaf
	}
	return nil
}
