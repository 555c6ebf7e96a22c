package tlsconf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
)

// Outbound is how the gate speaks TLS to the backends of one pool: whom it
// trusts, and by which certificate it shows who it is. Config may be called at
// any time; Run may be called once.
type Outbound struct {
	settings configs.BackendTLS
	log      zerolog.Logger
	now      func() time.Time
	pace     pace
	config   atomic.Pointer[tls.Config]

	// What follows belongs to NewOutbound, and then to the goroutine of Run.
	roots roots
	own   pair
}

// NewOutbound reads the files of settings. The error joins all mistakes; each
// names its file.
func NewOutbound(settings configs.BackendTLS, log zerolog.Logger) (*Outbound, error) {
	o := &Outbound{settings: settings, log: log, now: time.Now, pace: usualPace()}
	o.roots.path = settings.CA
	o.own.files = configs.KeyPair{Certificate: settings.Certificate, Key: settings.Key}
	var mistakes []error
	if settings.CA != "" {
		mistakes = append(mistakes, o.roots.load())
	}
	if settings.Certificate != "" {
		mistakes = append(mistakes, o.own.load())
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	o.own.accept()
	o.roots.accept()
	o.publish()
	return o, nil
}

// Config returns the configuration of the next connection. It never changes:
// another pointer than the last one says that a file did. Its ServerName is ""
// where the settings name none, and then the caller's to set, in a clone. The
// backend's certificate is always verified.
func (o *Outbound) Config() *tls.Config { return o.config.Load() }

func (o *Outbound) publish() {
	c := &tls.Config{
		RootCAs:    o.roots.pool,
		ServerName: o.settings.ServerName,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
	}
	if cert := o.own.cert; cert != nil {
		// Not by Certificates: that sends none at all when the backend does not list
		// who signed it, and leaves the operator to guess.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	o.config.Store(c)
}

// Run follows the files until ctx ends, and returns nil then. New files that are
// broken are logged, once for each content, and the old ones stay in use.
func (o *Outbound) Run(ctx context.Context) error {
	w := o.watchFolders()
	defer w.close()
	poll := time.NewTicker(o.pace.poll)
	defer poll.Stop()
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.changed():
			if settled == nil {
				settled = time.After(o.pace.settle)
			}
		case <-w.lost():
			o.refresh()
		case <-settled:
			settled = nil
			o.refresh()
		case <-poll.C:
			w.renew() //nolint:errcheck // the poll goes on
			o.refresh()
		}
	}
}

// watchFolders watches the folders of the files there are.
func (o *Outbound) watchFolders() *folders {
	w, err := foldersOf(o.settings.CA, o.settings.Certificate, o.settings.Key)
	if err != nil {
		o.log.Warn().Err(err).Stringer("every", o.pace.poll).
			Msg("folders of a pool's TLS files cannot be watched, files are looked at from time to time")
	}
	return w
}

// refresh looks at the files and takes over what is new and sound.
func (o *Outbound) refresh() {
	news := o.refreshRoots()
	if o.refreshOwn() || news {
		o.publish()
	}
}

func (o *Outbound) refreshRoots() (news bool) {
	if o.settings.CA == "" {
		return false
	}
	if err := o.roots.load(); err != nil {
		o.log.Error().Err(err).Msg("new CA of a pool is broken, the old one stays in use")
		return false
	}
	if news = o.roots.accept(); news {
		o.log.Info().Str("ca", o.settings.CA).Msg("new CA of a pool in use")
	}
	return news
}

func (o *Outbound) refreshOwn() (news bool) {
	if o.settings.Certificate == "" {
		return false
	}
	before := o.own.seen
	err := o.own.load()
	if err == nil && o.own.offered != nil {
		err = o.demandValid()
	}
	if err != nil {
		if o.own.seen != before {
			o.log.Error().Err(err).Msg("new client certificate of a pool refused, the old one stays in use")
		}
		return false
	}
	if o.own.offered == nil {
		return false
	}
	o.own.accept()
	o.log.Info().Str("certificate", o.settings.Certificate).
		Time("not_after", o.own.cert.Leaf.NotAfter).Msg("new client certificate of a pool in use")
	return true
}

// demandValid refuses a certificate that is not valid now, where the old one is.
// It stays on offer: its time may come.
func (o *Outbound) demandValid() error {
	now, leaf := o.now(), o.own.offered.Leaf
	if validAt(leaf, now) || !validAt(o.own.cert.Leaf, now) {
		return nil
	}
	return fmt.Errorf("certificate %s: it is valid from %s to %s, and now is %s", o.settings.Certificate,
		leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}
