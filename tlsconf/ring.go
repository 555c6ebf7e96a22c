package tlsconf

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"
)

// ringPeriod is how long tickets are sealed with one key. All gates count periods from
// 1970, so that they change keys at the same moment.
const ringPeriod = 12 * time.Hour

// mostRingKeys bounds what is taken from the storage: three, and some for a race.
const mostRingKeys = 16

// ring is a row of keys for the tickets of one listener, which gates with one storage
// share: of the period before, of this one, and of the next. That of the next is written
// down a whole period before it is used, so that no gate meets a ticket that it cannot
// open, nor does one whose clock is a little late.
//
// When the storage is away, a gate goes on with what it has, and makes keys of its own for
// what comes. Once the storage is back, those that are written there are used; its own go
// on to open what they have sealed. A ring belongs to one goroutine.
type ring struct {
	storage  certmagic.Storage
	listener string
	keys     []ringKey // of one period, the first one seals
}

// ringKey is the key of one period.
type ringKey struct {
	Period int64  `json:"period"`
	Secret []byte `json:"secret"`
}

// periodAt returns the number of the period at a moment.
func periodAt(now time.Time) int64 { return now.Unix() / int64(ringPeriod/time.Second) }

// file is the name of the row in the storage.
func (r *ring) file() string { return path.Join("tickets", r.listener+".json") }

// advance drops what is old and makes what is missing, without asking the storage.
func (r *ring) advance(now time.Time) {
	r.keys = completed(r.keys, periodAt(now))
}

// sync takes over what is written in the storage, after it has written there what is
// missing. With an error it goes on alone, with all that there has to be.
func (r *ring) sync(ctx context.Context, now time.Time) error {
	period := periodAt(now)
	written, err := r.load(ctx)
	if err == nil && !complete(written, period) {
		written, err = r.write(ctx, period)
	}
	if err != nil {
		r.advance(now)
		return fmt.Errorf("keys of tickets of listener %q: %w", r.listener, err)
	}
	r.keys = completed(append(written, r.keys...), period)
	return nil
}

// load returns what is in the storage, nil where there is nothing yet.
func (r *ring) load(ctx context.Context) ([]ringKey, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := r.storage.Load(ctx, r.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseRing(text)
}

// write adds our keys to what is in the storage, where it has none for a period. It
// returns what is there now.
func (r *ring) write(ctx context.Context, period int64) (written []ringKey, err error) {
	lock := "tickets_" + r.listener
	if err := r.storage.Lock(ctx, lock); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, r.storage.Unlock(context.WithoutCancel(ctx), lock))
	}()
	if written, err = r.load(ctx); err != nil || complete(written, period) {
		return written, err // somebody was faster
	}
	written = oneEach(completed(append(written, r.keys...), period))
	text, err := json.Marshal(written)
	if err != nil {
		return nil, err
	}
	return written, r.storage.Store(ctx, r.file(), text)
}

// parseRing reads what was written by a gate, perhaps one of another version.
func parseRing(text []byte) ([]ringKey, error) {
	var keys []ringKey
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, errors.New("what is written there is not JSON of a list of keys") // the cause would show what is secret
	}
	if len(keys) > mostRingKeys {
		return nil, fmt.Errorf("there are %d: wanted at most %d", len(keys), mostRingKeys)
	}
	for _, k := range keys {
		if len(k.Secret) != 32 {
			return nil, fmt.Errorf("the secret of period %d has %d bytes: wanted 32", k.Period, len(k.Secret))
		}
	}
	return keys, nil
}

// complete reports whether there are keys for a period and the next one.
func complete(keys []ringKey, period int64) bool { return has(keys, period) && has(keys, period+1) }

func has(keys []ringKey, period int64) bool {
	return slices.ContainsFunc(keys, func(k ringKey) bool { return k.Period == period })
}

// completed returns the keys that count in a period, each once, with new ones where there
// is none for it or the next. Those in front stay in front.
func completed(keys []ringKey, period int64) []ringKey {
	var kept []ringKey
	for _, k := range keys {
		same := func(other ringKey) bool { return other.Period == k.Period && string(other.Secret) == string(k.Secret) }
		if k.Period >= period-1 && k.Period <= period+1 && !slices.ContainsFunc(kept, same) {
			kept = append(kept, k)
		}
	}
	for _, p := range []int64{period, period + 1} {
		if !has(kept, p) {
			secret := randomKey()
			kept = append(kept, ringKey{Period: p, Secret: secret[:]})
		}
	}
	return kept
}

// oneEach keeps the first key of each period, which is the one that seals.
func oneEach(keys []ringKey) []ringKey {
	var kept []ringKey
	for _, k := range keys {
		if !has(kept, k.Period) {
			kept = append(kept, k)
		}
	}
	return kept
}

// seals returns what tickets are sealed and opened with at a moment.
func (r *ring) seals(now time.Time) *ticketKeys {
	period, keys := periodAt(now), &ticketKeys{}
	for _, k := range r.keys {
		seal := newSeal(r.derive(k.Secret))
		if keys.current == nil && k.Period == period {
			keys.current = seal
		} else {
			keys.others = append(keys.others, seal)
		}
	}
	return keys
}

// derive binds a secret to the listener: somebody who copies the row of one listener to
// another in the storage does not make tickets of the one good for the other.
func (r *ring) derive(secret []byte) (key [32]byte) {
	text, err := hkdf.Key(sha256.New, secret, nil, "trackgate session tickets of listener "+r.listener, len(key))
	if err != nil {
		panic("tlsconf: HKDF refuses 32 bytes: " + err.Error())
	}
	copy(key[:], text)
	return key
}
