//go:build suites

package acme

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
	"github.com/trackgate/trackgate/tlsconf/redisstore"
)

const redisPassword = "secret"

// newRedis starts a Redis on an address, of which nothing is left after the test.
func newRedis(t *testing.T, address string) *program.Process {
	t.Helper()
	server, err := exec.LookPath("redis-server")
	require.NoError(t, err, "the suites need redis-server: make install-tools")
	_, port, _ := strings.Cut(address, ":")
	p := program.Start(t, exec.Command(server, "--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--requirepass", redisPassword))
	program.AwaitListener(t, address)
	return p
}

// redisSays returns what the Redis at an address answers.
func redisSays(t *testing.T, at string, question ...string) string {
	t.Helper()
	command := exec.Command("redis-cli", append([]string{"-p", strings.TrimPrefix(at, "127.0.0.1:")}, question...)...)
	command.Env = append(os.Environ(), "REDISCLI_AUTH="+redisPassword)
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return strings.TrimSpace(string(output))
}

func store(t *testing.T, o redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestARedisKeepsWhatGatesShare(t *testing.T) {
	t.Parallel()
	ctx, at := t.Context(), program.FreeAddress(t)
	newRedis(t, at)
	open := redisstore.Options{Address: at, Password: redisPassword, Prefix: "open"}
	sealed := redisstore.Options{Address: at, Password: redisPassword, Prefix: "sealed", Key: []byte("0123456789abcdef0123456789abcdef")}
	for _, o := range []redisstore.Options{open, sealed} {
		s := store(t, o)
		_, err := s.Load(ctx, "a/b")
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = s.Stat(ctx, "a/b")
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = s.List(ctx, "a", true)
		require.ErrorIs(t, err, fs.ErrNotExist)
		for _, key := range []string{"a/b", "a/c/d", "a/c/e", "ab/x", "a*/y"} {
			require.NoError(t, s.Store(ctx, key, []byte("value of "+key)))
		}
		got, err := s.Load(ctx, "a/b")
		require.NoError(t, err)
		assert.Equal(t, "value of a/b", string(got))
		all, err := s.List(ctx, "a", true)
		require.NoError(t, err)
		assert.Equal(t, []string{"a/b", "a/c/d", "a/c/e"}, all)
		children, err := s.List(ctx, "a", false)
		require.NoError(t, err)
		assert.Equal(t, []string{"a/b", "a/c"}, children)
		info, err := s.Stat(ctx, "a/b")
		require.NoError(t, err)
		assert.Equal(t, int64(len("value of a/b")), info.Size)
		assert.WithinDuration(t, time.Now(), info.Modified, 10*time.Second)
		require.NoError(t, s.Delete(ctx, "a/c"))
		assert.True(t, s.Exists(ctx, "a/b"))
		assert.False(t, s.Exists(ctx, "a/c/d"), "with all below it")
	}
}

func TestSealedValuesAreWorthNothingElsewhere(t *testing.T) {
	t.Parallel()
	ctx, at := t.Context(), program.FreeAddress(t)
	newRedis(t, at)
	o := redisstore.Options{Address: at, Password: redisPassword, Prefix: "p", Key: []byte("0123456789abcdef0123456789abcdef")}
	s := store(t, o)
	require.NoError(t, s.Store(ctx, "one", []byte("secret of one")))
	assert.NotContains(t, redisSays(t, at, "HGETALL", "p:value/one"), "secret of one")
	redisSays(t, at, "COPY", "p:value/one", "p:value/two")
	_, err := s.Load(ctx, "two")
	require.EqualError(t, err, "redis: load two: it was not sealed with this encryption_key, or not for this place")
	o.Key = []byte("another key, also of 32 bytes ..")
	_, err = store(t, o).Load(ctx, "one")
	require.ErrorContains(t, err, "not sealed with this encryption_key")
	o.Key = []byte("short")
	_, err = redisstore.New(o)
	require.EqualError(t, err, "encryption_key has 5 bytes: wanted 32")
	o.Key, o.Password = nil, "wrong"
	_, err = store(t, o).Load(ctx, "one")
	require.ErrorContains(t, err, "WRONGPASS")
}

func TestALockHasOneHolder(t *testing.T) {
	t.Parallel()
	ctx, at := t.Context(), program.FreeAddress(t)
	newRedis(t, at)
	o := redisstore.Options{Address: at, Password: redisPassword, Prefix: "p"}
	one, two := store(t, o), store(t, o)
	require.NoError(t, one.Lock(ctx, "x"))
	taken, err := two.TryLock(ctx, "x")
	require.NoError(t, err)
	assert.False(t, taken)
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, two.Lock(soon, "x"), context.DeadlineExceeded)
	require.ErrorContains(t, two.Unlock(ctx, "x"), "it is not held", "and the other one's is left alone")
	got := make(chan error)
	go func() { got <- two.Lock(ctx, "x") }()
	require.NoError(t, one.Unlock(ctx, "x"))
	require.NoError(t, <-got)
	require.Error(t, one.Unlock(ctx, "x"))
	require.NoError(t, two.Unlock(ctx, "x"))
	taken, err = one.TryLock(ctx, "x")
	require.NoError(t, err)
	assert.True(t, taken)
}

// A holder that has crashed does nothing more: here its connection is gone.
func TestTheLockOfACrashedHolderEnds(t *testing.T) {
	t.Parallel()
	ctx, at := t.Context(), program.FreeAddress(t)
	newRedis(t, at)
	o := redisstore.Options{Address: at, Password: redisPassword, Prefix: "p"}
	one, two := store(t, o), store(t, o)
	require.NoError(t, one.Lock(ctx, "x"))
	require.NoError(t, one.Close())
	began := time.Now()
	require.NoError(t, two.Lock(ctx, "x"))
	assert.Greater(t, time.Since(began), 10*time.Second)
	assert.Less(t, time.Since(began), 30*time.Second)
	<-time.After(22 * time.Second) // longer than it would live by itself
	taken, err := store(t, o).TryLock(ctx, "x")
	require.NoError(t, err)
	assert.False(t, taken, "the one that lives keeps its lock")
}

func redisOf(address string) string {
	return "redis: {address: \"" + address + "\", password: " + redisPassword + ", encryption_key: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}"
}

// Two gates with folders of their own: one order for each host, and the authority comes to
// the first gate only. Then Redis goes, and both go on, also anew.
func TestGatesThatShareARedis(t *testing.T) {
	t.Parallel()
	at := program.FreeAddress(t)
	server := newRedis(t, at)
	one, two := newGate(t, sixHosts()...), newGate(t, sixHosts()...)
	one.tls, two.tls = redisOf(at), redisOf(at)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: one.plain, secure: one.secure}).start(t)
	orderOnce(t, a, one, two)

	host, roots := one.hosts[0], a.roots(t)
	all := one.underLoad(t, host, roots, func() {
		server.Stop()
		<-time.After(2 * time.Second)
		two.stop(t)
		began := time.Now()
		two.start(t, of(a)...)
		assert.Less(t, time.Since(began), 4*time.Second)
		_, err := two.shake(host, roots)
		assert.NoError(t, err, "from its copy")
		newRedis(t, at)
		<-time.After(time.Second)
	})
	for _, s := range all {
		assert.Len(t, s.seen, 1)
	}
}

func TestARedisThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := store(t, redisstore.Options{Address: "127.0.0.1:1", Prefix: "p"})
	_, err := s.Load(t.Context(), "x")
	require.Error(t, err)
	assert.False(t, errors.Is(err, fs.ErrNotExist), "it is not known whether there is something")
	_, err = s.TryLock(t.Context(), "x")
	require.Error(t, err)
}
