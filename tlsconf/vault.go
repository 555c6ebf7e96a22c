package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/tlsconf/redisstore"
)

// startTime is how long a start may wait for a storage that others share.
const startTime = time.Second

// openStorage returns where certificates of authorities are kept: a folder, or a Redis that
// several gates share, which is not asked for anything yet.
func openStorage(settings configs.TLS) (*bundles, error) {
	if settings.Redis.Address == "" {
		return newBundles(&certmagic.FileStorage{Path: settings.Storage}), nil
	}
	r := settings.Redis
	o := redisstore.Options{
		Address: r.Address, Username: r.Username, Password: r.Password, Database: r.Database, Prefix: r.Prefix, Key: r.Key(),
	}
	if r.TLS {
		var err error
		if o.TLS, err = redisTLS(r); err != nil {
			return nil, err
		}
	}
	store, err := redisstore.New(o)
	if err != nil {
		return nil, fmt.Errorf("tls.redis: %w", err)
	}
	return newBundles(store), nil
}

// redisTLS demands the right certificate; there is no switch for it.
func redisTLS(r configs.Redis) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.ServerName}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(r.Address)
	}
	var err error
	if config.RootCAs, err = ReadRoots(r.CA); err != nil {
		return nil, fmt.Errorf("tls.redis: %w", err)
	}
	return config, nil
}

// copyOf returns the folder where a gate keeps what it has read of a shared storage, so
// that it can start when that is away; nil where nothing is shared.
func copyOf(settings configs.TLS) *bundles {
	if settings.Redis.Address == "" {
		return nil
	}
	return newBundles(&certmagic.FileStorage{Path: settings.Storage})
}

// fetch returns a bundle of the storage, or where that is away the copy.
func (m *managed) fetch(ctx context.Context, bundle string) (map[string][]byte, error) {
	whole, err := m.storage.open(ctx, bundle)
	switch {
	case m.copy == nil:
		return whole, err
	case err == nil:
		if err := m.mirror(ctx, bundle, whole); err != nil {
			m.log.Warn().Err(err).Msg("the copy of a certificate cannot be written: a start without Redis would miss it")
		}
		return whole, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	kept, missing := m.copy.open(ctx, bundle)
	if missing != nil {
		return nil, err
	}
	return kept, nil
}

// mirror writes a bundle into the copy, unless it is there.
func (m *managed) mirror(ctx context.Context, bundle string, whole map[string][]byte) error {
	ctx = context.WithoutCancel(ctx)
	kept, err := m.copy.open(ctx, bundle)
	if err == nil && bytes.Equal(kept[".crt"], whole[".crt"]) && bytes.Equal(kept[".key"], whole[".key"]) {
		return nil
	}
	return m.copy.place(ctx, bundle, whole)
}
