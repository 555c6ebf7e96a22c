package tlsconf

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/caddyserver/certmagic"
)

// manage hands hosts over to certmagic, which orders and renews their certificates until
// ctx ends. stop of start waits for what goes on here.
func (m *managed) manage(ctx context.Context, config *certmagic.Config, hosts []string) {
	for _, host := range hosts {
		m.handing.Go(func() { m.handOver(ctx, config, host) })
	}
}

// handOver goes on until certmagic has the certificate of host, and renews it. By itself it
// would give a host up for good whose storage is away, or full, when the gate starts.
func (m *managed) handOver(ctx context.Context, config *certmagic.Config, host string) {
	for tried := false; ; tried = true {
		err := m.handOnce(ctx, config, host)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && tried:
			m.log.Info().Str("host", host).Msg("certificate is ordered and renewed from now on")
			return
		case err == nil:
			return
		case !tried:
			m.log.Error().Err(err).Str("host", host).Stringer("every", m.retry).
				Msg("certificate is neither ordered nor renewed, which is tried again")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.retry):
		}
	}
}

// handOnce orders what is not there, for as long as it takes. What is not known to be
// missing is not ordered.
func (m *managed) handOnce(ctx context.Context, config *certmagic.Config, host string) error {
	err := m.stored(ctx, host)
	if errors.Is(err, fs.ErrNotExist) {
		err = config.ObtainCertAsync(ctx, host)
	}
	if err != nil {
		return err
	}
	return config.ManageSync(ctx, []string{host})
}

// stored returns fs.ErrNotExist where the storage has no certificate of any authority for
// host.
func (m *managed) stored(ctx context.Context, host string) error {
	for _, a := range m.authorities {
		_, err := m.storage.Load(ctx, certmagic.StorageKeys.SiteCert(a.key(), host))
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}
