//go:build suites

package redisstore

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// server is a Redis that can be stopped and started.
type server struct {
	address string
	folder  string
	process *program.Process
}

func newServer(t *testing.T, arguments ...string) *server {
	t.Helper()
	s := &server{address: program.FreeAddress(t), folder: t.TempDir()}
	s.start(t, arguments...)
	return s
}

func (s *server) start(t *testing.T, arguments ...string) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	require.NoError(t, err)
	usual := []string{"--port", port, "--bind", "127.0.0.1", "--dir", s.folder, "--save", "", "--appendonly", "yes"}
	s.process = program.Start(t, exec.Command("redis-server", append(usual, arguments...)...))
	program.AwaitListener(t, s.address)
}

// store is a gate's view of the server.
func (s *server) store(t *testing.T, o Options) *Store {
	t.Helper()
	o.Address = s.address
	if o.Prefix == "" {
		o.Prefix = "trackgate"
	}
	store, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	return store
}

func key(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestWhatOneGateStoresAnotherLoads(t *testing.T) {
	ctx, redis := t.Context(), newServer(t)
	a, b := redis.store(t, Options{Key: key(1)}), redis.store(t, Options{Key: key(1)})
	for _, name := range []string{"certificates/x/y.bundle", "certificates/x[1]/y", "orders/y.json", "certificatesish"} {
		require.NoError(t, a.Store(ctx, name, []byte(name)))
		loaded, err := b.Load(ctx, name)
		require.NoError(t, err)
		require.Equal(t, name, string(loaded))
	}
	all, err := b.List(ctx, "certificates", true)
	require.NoError(t, err)
	require.Equal(t, []string{"certificates/x/y.bundle", "certificates/x[1]/y"}, all)
	top, err := b.List(ctx, "", false)
	require.NoError(t, err)
	require.Equal(t, []string{"certificates", "certificatesish", "orders"}, top)
	require.True(t, b.Exists(ctx, "certificates/x"))
	folder, err := b.Stat(ctx, "certificates/x")
	require.NoError(t, err)
	require.False(t, folder.IsTerminal)
	file, err := b.Stat(ctx, "orders/y.json")
	require.NoError(t, err)
	require.True(t, file.IsTerminal)
	require.Equal(t, int64(len("orders/y.json")), file.Size)
	require.WithinDuration(t, time.Now(), file.Modified, time.Minute)

	require.NoError(t, a.Delete(ctx, "certificates"))
	require.NoError(t, a.Delete(ctx, "certificates"), "nothing is there")
	require.False(t, b.Exists(ctx, "certificates"))
	require.True(t, b.Exists(ctx, "certificatesish"))
	_, err = b.Load(ctx, "certificates/x/y.bundle")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = b.Stat(ctx, "certificates/x/y.bundle")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = b.List(ctx, "certificates", true)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestASealedValueIsOpenedOnlyInItsPlaceWithItsKey(t *testing.T) {
	ctx, redis := t.Context(), newServer(t)
	right := redis.store(t, Options{Key: key(1)})
	require.NoError(t, right.Store(ctx, "a", []byte("secret")))
	raw := right.client.HGetAll(ctx, right.values+"a").Val()
	require.NotContains(t, raw[fieldSealed], "secret")

	elsewhere := redis.store(t, Options{Key: key(1), Prefix: "other"})
	for s, name := range map[*Store]string{right: "b", elsewhere: "a"} {
		require.NoError(t, s.client.HSet(ctx, s.values+name, raw).Err())
		_, err := s.Load(ctx, name)
		require.EqualError(t, err, "redis: load "+name+": it was not sealed with this encryption_key, or not for this place")
	}
	_, err := redis.store(t, Options{Key: key(2)}).Load(ctx, "a")
	require.EqualError(t, err, "redis: load a: it was not sealed with this encryption_key, or not for this place")
	plain := redis.store(t, Options{})
	_, err = plain.Load(ctx, "a")
	require.EqualError(t, err, "redis: load a: it is sealed, and there is no encryption_key")
	require.NoError(t, plain.Store(ctx, "a", []byte("plain")))
	_, err = right.Load(ctx, "a")
	require.EqualError(t, err, "redis: load a: it is not sealed, and there is an encryption_key")
	require.NoError(t, right.Store(ctx, "a", []byte("again")))
	loaded, err := right.Load(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, "again", string(loaded))
}

func TestOnlyOneGateHasALock(t *testing.T) {
	redis := newServer(t)
	a, b := redis.store(t, Options{}), redis.store(t, Options{})
	require.NoError(t, a.Lock(t.Context(), "x"))
	taken, err := b.TryLock(t.Context(), "x")
	require.NoError(t, err)
	require.False(t, taken)
	soon, cancel := context.WithTimeout(t.Context(), 2*lockPoll)
	defer cancel()
	require.ErrorIs(t, b.Lock(soon, "x"), context.DeadlineExceeded)
	require.ErrorIs(t, b.Unlock(t.Context(), "x"), errNotHeld)
	require.NoError(t, a.Unlock(t.Context(), "x"))
	require.NoError(t, b.Lock(t.Context(), "x"))
	require.NoError(t, b.Unlock(t.Context(), "x"))
	require.Zero(t, a.client.DBSize(t.Context()).Val())
}

// A holder that has lost its lock does not take it from the next one.
func TestALockIsGivenBackOnlyByItsHolder(t *testing.T) {
	redis := newServer(t)
	a, b := redis.store(t, Options{}), redis.store(t, Options{})
	require.NoError(t, a.Lock(t.Context(), "x"))
	require.NoError(t, a.client.Del(t.Context(), a.lockKey("x")).Err(), "it ended by itself")
	require.NoError(t, b.Lock(t.Context(), "x"))
	require.NoError(t, a.Unlock(t.Context(), "x"))
	taken, err := a.TryLock(t.Context(), "x")
	require.NoError(t, err)
	require.False(t, taken)
	require.NoError(t, b.Unlock(t.Context(), "x"))
}

// As when it is killed: its lock is not renewed, and not given back.
func TestALockOfAHolderThatCrashedEnds(t *testing.T) {
	redis := newServer(t)
	a, b := redis.store(t, Options{}), redis.store(t, Options{})
	require.NoError(t, a.Lock(t.Context(), "x"))
	require.NoError(t, a.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, b.Lock(ctx, "x"))
	require.NoError(t, b.Unlock(t.Context(), "x"))
	require.Error(t, a.Unlock(t.Context(), "x"))
}

func TestALockIsKeptAliveWhileItIsHeld(t *testing.T) {
	redis := newServer(t)
	a := redis.store(t, Options{})
	require.NoError(t, a.Lock(t.Context(), "x"))
	require.NoError(t, a.client.PExpire(t.Context(), a.lockKey("x"), 2*lockRenew).Err())
	require.Eventually(t, func() bool {
		return a.client.PTTL(t.Context(), a.lockKey("x")).Val() > 2*lockRenew
	}, 2*lockRenew, 50*time.Millisecond)
	require.NoError(t, a.Unlock(t.Context(), "x"))
}

func TestAServerThatIsAwayIsAnErrorAtOnceAndUsedWhenItIsBack(t *testing.T) {
	redis := newServer(t)
	a := redis.store(t, Options{})
	require.NoError(t, a.Store(t.Context(), "x", []byte("kept")))
	require.NoError(t, redis.process.Stop())
	begun := time.Now()
	_, err := a.Load(t.Context(), "x")
	require.ErrorContains(t, err, "redis: load x: ")
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.Less(t, time.Since(begun), time.Second)
	redis.start(t)
	require.Eventually(t, func() bool {
		loaded, err := a.Load(t.Context(), "x")
		return err == nil && string(loaded) == "kept"
	}, 10*time.Second, 50*time.Millisecond)
}

func TestAWrongPasswordIsAnErrorThatDoesNotShowIt(t *testing.T) {
	redis := newServer(t, "--requirepass", "right-one")
	_, err := redis.store(t, Options{Password: "wrong-one"}).Load(t.Context(), "x")
	require.ErrorContains(t, err, "WRONGPASS")
	require.NotContains(t, err.Error(), "wrong-one")
	_, err = redis.store(t, Options{Password: "right-one"}).Load(t.Context(), "x")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
