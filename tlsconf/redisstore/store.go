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
	"github.com/redis/go-redis/v9/maintnotifications"
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
	values string      // prefix of the names of values
	locks  string      // prefix of the names of locks
	seal   cipher.AEAD // nil: values are kept as they are

	mu   sync.Mutex
	held map[string]*lock // by name
}

// quiet has the library write nothing by itself: its errors come back to who asks.
type quiet struct{}

// Printf implements the library's logger.
func (quiet) Printf(context.Context, string, ...any) {}

// New returns a storage. It does not connect yet.
func New(o Options) (*Store, error) {
	redis.SetLogger(quiet{})
	s := &Store{values: o.Prefix + ":value/", locks: o.Prefix + ":lock/", held: map[string]*lock{}}
	if o.Key != nil {
		var err error
		if s.seal, err = newSeal(o.Key); err != nil {
			return nil, err
		}
	}
	s.client = redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
		DialTimeout: dialTime, ReadTimeout: answerTime, WriteTimeout: answerTime, ContextTimeoutEnabled: true,
		DialerRetries: 1, MaxRetries: -1, // who asks goes on with what it has, and asks again later
		DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return s, nil
}

// Close ends the connections.
func (s *Store) Close() error { return s.client.Close() }

// The fields of a value. What is sealed has a field of its own, so that nobody takes it for
// the value itself.
const (
	fieldPlain   = "value"
	fieldSealed  = "sealed"
	fieldWritten = "written" // milliseconds since 1970
)

// Store implements certmagic.Storage.
func (s *Store) Store(ctx context.Context, key string, value []byte) error {
	field, other := fieldPlain, fieldSealed
	if s.seal != nil {
		field, other = other, field
		value = s.seal.Seal(nil, nil, value, []byte(s.values+key))
	}
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, s.values+key, field, value, fieldWritten, time.Now().UnixMilli())
		p.HDel(ctx, s.values+key, other)
		return nil
	})
	return named("store", key, err)
}

// Load implements certmagic.Storage. The error is fs.ErrNotExist where there is nothing.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	fields, err := s.client.HMGet(ctx, s.values+key, fieldPlain, fieldSealed).Result()
	if err != nil {
		return nil, named("load", key, err)
	}
	plain, isPlain := fields[0].(string)
	sealed, isSealed := fields[1].(string)
	switch {
	case !isPlain && !isSealed:
		return nil, named("load", key, redis.Nil)
	case isSealed && s.seal == nil:
		return nil, fmt.Errorf("redis: load %s: it is sealed, and there is no encryption_key", key)
	case isSealed:
		return s.unseal(key, []byte(sealed))
	case s.seal != nil:
		return nil, fmt.Errorf("redis: load %s: it is not sealed, and there is an encryption_key", key)
	}
	return []byte(plain), nil
}

// unseal opens a value that stands under key.
func (s *Store) unseal(key string, sealed []byte) ([]byte, error) {
	plain, err := s.seal.Open(nil, nil, sealed, []byte(s.values+key))
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

// Exists implements certmagic.Storage: a value, or a folder with some.
func (s *Store) Exists(ctx context.Context, key string) bool {
	n, err := s.client.Exists(ctx, s.values+key).Result()
	if err != nil || n > 0 {
		return err == nil
	}
	below, err := s.below(ctx, key)
	return err == nil && len(below) > 0
}

// Delete implements certmagic.Storage: the value, and all below it.
func (s *Store) Delete(ctx context.Context, key string) error {
	below, err := s.below(ctx, key)
	if err != nil {
		return named("delete", key, err)
	}
	keys := []string{s.values + key}
	for _, k := range below {
		keys = append(keys, s.values+k)
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
	pattern := escaped(s.values+strings.TrimSuffix(folder, "/")) + "/*"
	if folder == "" {
		pattern = escaped(s.values) + "*"
	}
	found := map[string]bool{} // SCAN may return a key twice
	keys := s.client.Scan(ctx, 0, pattern, 1000).Iterator()
	for keys.Next(ctx) {
		found[strings.TrimPrefix(keys.Val(), s.values)] = true
	}
	return slices.Sorted(maps.Keys(found)), keys.Err()
}

// escaped takes the meaning from what SCAN would take for a pattern.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(text)
}

// Stat implements certmagic.Storage.
func (s *Store) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	written, err := s.client.HGet(ctx, s.values+key, fieldWritten).Int64()
	if errors.Is(err, redis.Nil) && s.Exists(ctx, key) {
		return certmagic.KeyInfo{Key: key}, nil // a folder
	}
	if err != nil {
		return certmagic.KeyInfo{}, named("look at", key, err)
	}
	value, err := s.Load(ctx, key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	return certmagic.KeyInfo{Key: key, Modified: time.UnixMilli(written), Size: int64(len(value)), IsTerminal: true}, nil
}
