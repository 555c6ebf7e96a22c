package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// How locks live: one whose holder has crashed ends by itself.
const (
	lockLife  = 20 * time.Second
	lockRenew = lockLife / 4
	lockPoll  = 250 * time.Millisecond // between two looks at one that somebody else has
)

// What is done only by who has the token.
var (
	renewScript   = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end return 0`)
	releaseScript = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)
)

// lock is one that this process holds.
type lock struct {
	token string
	stop  context.CancelFunc
	ended chan struct{}
}

func (s *Store) lockKey(name string) string { return s.locks + name }

// Lock implements certmagic.Locker: it waits until nobody else has the lock, or ctx ends.
func (s *Store) Lock(ctx context.Context, name string) error {
	for {
		taken, err := s.TryLock(ctx, name)
		if taken || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("redis: lock %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// TryLock implements certmagic.TryLocker.
func (s *Store) TryLock(ctx context.Context, name string) (bool, error) {
	token := rand.Text()
	taken, err := s.client.SetNX(ctx, s.lockKey(name), token, lockLife).Result()
	if err != nil || !taken {
		return false, named("lock", name, err)
	}
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &lock{token: token, stop: stop, ended: make(chan struct{})}
	s.mu.Lock()
	s.held[name] = l
	s.mu.Unlock()
	go func() {
		defer close(l.ended)
		s.keepAlive(alive, name, token)
	}()
	return true, nil
}

// keepAlive lets a lock live until it is given back, or was lost.
func (s *Store) keepAlive(ctx context.Context, name, token string) {
	ticker := time.NewTicker(lockRenew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			kept, err := renewScript.Run(ctx, s.client, []string{s.lockKey(name)}, token, lockLife.Milliseconds()).Int()
			if err == nil && kept == 0 {
				return // it ended while Redis or this process stood still
			}
		}
	}
}

// errNotHeld says that a lock is given back which this process does not have.
var errNotHeld = errors.New("it is not held")

// Unlock implements certmagic.Locker. It waits for what kept the lock alive.
func (s *Store) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	l := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if l == nil {
		return named("unlock", name, errNotHeld)
	}
	l.stop()
	<-l.ended
	return named("unlock", name, releaseScript.Run(ctx, s.client, []string{s.lockKey(name)}, l.token).Err())
}
