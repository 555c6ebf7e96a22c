package tlsconf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/caddyserver/certmagic"
)

// bundles keeps what belongs to a certificate in one value of a storage: its key, its
// chain and what the authority said of it. certmagic writes them one after the other; a
// process that is killed in between would leave the key of one certificate with the chain
// of another, and an error would take away the old ones with the new.
//
// What certmagic writes is held until it is whole and put in place with one write.
type bundles struct {
	certmagic.Storage
	mu     sync.Mutex
	begun  map[string]map[string][]byte // by site: what came of a new bundle
	failed map[string]bool              // by site: it could not be written, and certmagic takes it back
	amends sync.Mutex                   // no bundle is replaced while another hand amends it
}

func newBundles(inner certmagic.Storage) *bundles {
	return &bundles{Storage: inner, begun: map[string]map[string][]byte{}, failed: map[string]bool{}}
}

// close ends the connections of a storage that has some.
func (b *bundles) close() {
	if c, ok := b.Storage.(io.Closer); ok {
		c.Close() //nolint:errcheck // nothing is asked of it any more
	}
}

// parts are the endings of the keys of a bundle, in the order in which certmagic writes.
func parts() []string { return []string{".key", ".crt", ".json"} }

// site splits the key of a part of a bundle. part is "" for all other keys.
func site(key string) (bundle, part string) {
	ending := path.Ext(key)
	folder := path.Dir(key)
	if !strings.HasPrefix(key, "certificates/") || path.Base(folder) != strings.TrimSuffix(path.Base(key), ending) {
		return key, ""
	}
	for _, part := range parts() {
		if ending == part {
			return path.Join(folder, path.Base(folder)+".bundle"), part
		}
	}
	return key, ""
}

// Store implements certmagic.Storage.
func (b *bundles) Store(ctx context.Context, key string, value []byte) error {
	bundle, part := site(key)
	if part == "" {
		return b.Storage.Store(ctx, key, value)
	}
	if part == parts()[2] && !b.isBegun(bundle) {
		return b.amend(ctx, bundle, value)
	}
	whole := b.gather(bundle, part, value)
	if whole == nil {
		return nil
	}
	b.amends.Lock()
	err := b.place(ctx, bundle, whole)
	b.amends.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[bundle] = err != nil
	return err
}

func (b *bundles) isBegun(bundle string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun[bundle] != nil
}

// amend replaces what the authority said of a certificate: it says from time to time when
// it wants that renewed (RFC 9773), and certmagic writes that down by itself. It renews by
// what is written.
func (b *bundles) amend(ctx context.Context, bundle string, said []byte) error {
	b.amends.Lock()
	defer b.amends.Unlock()
	whole, err := b.open(ctx, bundle)
	if err != nil {
		return err
	}
	whole[parts()[2]] = said
	return b.place(ctx, bundle, whole)
}

// place puts a whole bundle into the storage.
func (b *bundles) place(ctx context.Context, bundle string, whole map[string][]byte) error {
	text, err := json.Marshal(whole)
	if err != nil {
		return err
	}
	return b.Storage.Store(ctx, bundle, text)
}

// gather adds a part and returns all of them when they are there.
func (b *bundles) gather(bundle, part string, value []byte) map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if part == parts()[0] || b.begun[bundle] == nil {
		b.begun[bundle] = map[string][]byte{}
	}
	whole := b.begun[bundle]
	whole[part] = value
	if len(whole) < len(parts()) {
		return nil
	}
	delete(b.begun, bundle)
	return whole
}

// Load implements certmagic.Storage.
func (b *bundles) Load(ctx context.Context, key string) ([]byte, error) {
	bundle, part := site(key)
	if part == "" {
		return b.Storage.Load(ctx, key)
	}
	whole, err := b.open(ctx, bundle)
	if err != nil {
		return nil, err
	}
	return whole[part], nil
}

// errGarbled is a bundle that is there and cannot be read: a new one may take its place.
var errGarbled = errors.New("it is garbled")

func (b *bundles) open(ctx context.Context, bundle string) (map[string][]byte, error) {
	text, err := b.Storage.Load(ctx, bundle)
	if err != nil {
		return nil, err
	}
	var whole map[string][]byte
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", bundle, errGarbled, err)
	}
	for _, part := range parts() {
		if whole[part] == nil {
			return nil, fmt.Errorf("%s: %s is missing: %w", bundle, part, fs.ErrNotExist)
		}
	}
	return whole, nil
}

// Exists implements certmagic.Storage. A bundle that cannot be read is none, so that a
// new one takes its place.
func (b *bundles) Exists(ctx context.Context, key string) bool {
	bundle, part := site(key)
	if part == "" {
		return b.Storage.Exists(ctx, bundle)
	}
	_, err := b.open(ctx, bundle)
	return err == nil
}

// Stat implements certmagic.Storage.
func (b *bundles) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	bundle, part := site(key)
	info, err := b.Storage.Stat(ctx, bundle)
	if part != "" {
		info.Key = key
	}
	return info, err
}

// Delete implements certmagic.Storage. What is taken back because it could not be written
// was never in place.
func (b *bundles) Delete(ctx context.Context, key string) error {
	bundle, part := site(key)
	if part == "" {
		return b.Storage.Delete(ctx, key)
	}
	b.mu.Lock()
	unwritten := b.failed[bundle] || b.begun[bundle] != nil
	delete(b.begun, bundle)
	b.mu.Unlock()
	if unwritten || !b.Storage.Exists(ctx, bundle) {
		return nil
	}
	return b.Storage.Delete(ctx, bundle)
}
