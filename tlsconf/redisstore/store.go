package redisstore

import (
	"context"
	"crypto/cipher"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
)

// Options say where the storage is.
type Options struct {
	Address            string // host:port
	Username, Password string
	Database           int
	Prefix             string      // of all keys
	TLS                *tls.Config // nil: none
	Key                []byte      // 32 bytes, with which values are sealed; nil: they are not
}

// How long one question to Redis may take. A gate goes on with what it has in memory.
const (
	dialTime   = 500 * time.Millisecond
	answerTime = time.Second
)

// Store is a certmagic.Storage. All methods may be called at any time.
type Store struct {
	client *redis.Client
	prefix string
	seal   cipher.AEAD // nil: values are kept as they are

	mu   sync.Mutex
	held map[string]*lock // by name
}

// New returns a storage. It does not connect yet.
func New(o Options) (*Store, error) {
	s := &Store{prefix: o.Prefix + ":", held: map[string]*lock{}}
	if o.Key != nil {
		var err error
		if s.seal, err = newSeal(o.Key); err != nil {
			return nil, err
		}
	}
	s.client = redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
		DialTimeout: dialTime, ReadTimeout: answerTime, WriteTimeout: answerTime, MaxRetries: 1, ContextTimeoutEnabled: true,
		DisableIdentity: true,
	})
	return s, nil
}

// Close ends the connections.
func (s *Store) Close() error { return s.client.Close() }

// The fields of a value.
const (
	fieldValue   = "value"
	fieldWritten = "written" // milliseconds since 1970
)

// Store implements certmagic.Storage.
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	if s.seal != nil {
		value = s.seal.Seal(nil, nil, value, []byte(key))
	}
	err := s.client.HSet(ctx, s.prefix+key, fieldValue, value, fieldWritten, time.Now().UnixMilli()).Err()
	return named("store", key, err)
}

// Load implements certmagic.Storage. The error is fs.ErrNotExist where there is nothing.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.client.HGet(ctx, s.prefix+key, fieldValue).Bytes()
	if err != nil {
		return nil, named("load", key, err)
	}
	if s.seal == nil {
		return value, nil
	}
	plain, err := s.seal.Open(nil, nil, value, []byte(key))
	if err != nil {
		return nil, fmt.Errorf("redis: load %s: it was not sealed with this encryption_key, or not for this place", key)
	}
	return plain, nil
}

// named says what could not be done, and with which value.
func named(deed, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("redis: %s %s: %w", deed, key, fs.ErrNotExist)
	}
	return fmt.Errorf("redis: %s %s: %w", deed, key, err)
}

// Exists implements certmagic.Storage.
func (s *Store) Exists(ctx context.Context, key string) bool {
	n, err := s.client.Exists(ctx, s.prefix+key).Result()
	return err == nil && n > 0
}

// Delete implements certmagic.Storage: the value, and all below it.
func (s *Store) Delete(ctx context.Context, key string) error {
	below, err := s.below(ctx, key)
	if err != nil {
		return named("delete", key, err)
	}
	keys := []string{s.prefix + key}
	for _, k := range below {
		keys = append(keys, s.prefix+k)
	}
	return named("delete", key, s.client.Del(ctx, keys...).Err())
}

// List implements certmagic.Storage.
func (s *Store) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	below, err := s.below(ctx, folder)
	if err != nil {
		return nil, named("list", folder, err)
	}
	if len(below) == 0 {
		return nil, named("list", folder, redis.Nil)
	}
	if recursive {
		return below, nil
	}
	children := map[string]bool{}
	for _, key := range below {
		child, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, folder), "/"), "/")
		children[path.Join(folder, child)] = true
	}
	return slices.Sorted(maps.Keys(children)), nil
}

// below returns the keys below a folder, sorted. It asks in small steps, so that others are
// not kept waiting.
func (s *Store) below(ctx context.Context, folder string) ([]string, error) {
	pattern := escaped(s.prefix+strings.TrimSuffix(folder, "/")) + "/*"
	found := map[string]bool{} // SCAN may return a key twice
	keys := s.client.Scan(ctx, 0, pattern, 1000).Iterator()
	for keys.Next(ctx) {
		found[strings.TrimPrefix(keys.Val(), s.prefix)] = true
	}
	return slices.Sorted(maps.Keys(found)), keys.Err()
}

// escaped takes the meaning from what SCAN would take for a pattern.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(text)
}

// Stat implements certmagic.Storage.
func (s *Store) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	written, err := s.client.HGet(ctx, s.prefix+key, fieldWritten).Int64()
	if err != nil {
		return certmagic.KeyInfo{}, named("look at", key, err)
	}
	value, err := s.Load(ctx, key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	return certmagic.KeyInfo{Key: key, Modified: time.UnixMilli(written), Size: int64(len(value)), IsTerminal: true}, nil
}
