//go:build suites

package acme

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// kill ends the gate as a machine does that fails: nothing is given back.
func (g *gate) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, syscall.Kill(g.process.PID(), syscall.SIGKILL))
	require.EqualError(t, g.process.Stop(), "signal: killed")
}

// sharing is a way in which gates share a storage.
type sharing struct {
	join   func(one, two *gate)
	locked func() bool // the order for track
	within time.Duration
}

// sharedRedis has locks that end 20 s after their holder.
func sharedRedis(t *testing.T) sharing {
	at := program.FreeAddress(t)
	newRedis(t, at)
	return sharing{
		join:   func(one, two *gate) { one.tls, two.tls = redisOf(at), redisOf(at) },
		locked: func() bool { return redisSays(t, at, "EXISTS", "trackgate:lock/issue_cert_"+track) == "1" },
		within: 30 * time.Second,
	}
}

// sharedFolder has locks that are taken for stale 10 s after they were renewed last.
func sharedFolder(t *testing.T) sharing {
	folder := t.TempDir()
	return sharing{
		join: func(one, two *gate) { one.storage, two.storage = folder, folder },
		locked: func() bool {
			_, err := os.Stat(filepath.Join(folder, "locks", "issue_cert_"+track+".lock"))
			return err == nil
		},
		within: 20 * time.Second,
	}
}

// The first gate is killed in the midst of its order, which nobody else may make meanwhile.
// The authority comes to the second one.
func TestTheOrderOfAGateThatIsKilledIsMadeByAnother(t *testing.T) {
	for name, share := range map[string]func(*testing.T) sharing{"redis": sharedRedis, "folder": sharedFolder} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, one, two, challenge := share(t), newGate(t, track), newGate(t, track), newHold("/chalZ/")
			s.join(one, two)
			challenge.armed.Store(true)
			a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: two.plain, secure: two.secure}).start(t).behind(t, challenge.deal)
			one.start(t, of(a)...)
			challenge.await(t)
			require.True(t, s.locked(), "the order is under way")
			two.start(t, of(a)...)
			require.Eventually(t, func() bool { return strings.Contains(two.process.Output(t), "acquiring lock") }, patience, 100*time.Millisecond)

			one.kill(t)
			began := time.Now()
			require.True(t, s.locked(), "a crash gives nothing back")
			close(challenge.over)
			roots := a.roots(t)
			cert := two.awaits(t, track, roots)
			assert.Less(t, time.Since(began), s.within)
			t.Logf("the certificate is there %s after the crash", time.Since(began).Round(100*time.Millisecond))
			assert.Equal(t, 200, two.posts(t, track, roots))
			assert.Equal(t, 1, a.issued(t))
			assert.False(t, s.locked())

			one.start(t, of(a)...)
			again, err := one.shake(track, roots)
			require.NoError(t, err)
			assert.Equal(t, cert.SerialNumber, again.SerialNumber, "and the first one has it as soon as it is back")
		})
	}
}

// Where it is ended as it should be, nobody has to wait for its locks.
func TestAGateThatIsEndedInItsOrderGivesItBack(t *testing.T) {
	for _, path := range []string{"/dir", "/chalZ/", "/finalize-order/"} {
		t.Run(path[1:4], func(t *testing.T) {
			t.Parallel()
			g, held := newGate(t, track), newHold(path)
			held.armed.Store(true)
			a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t).behind(t, held.deal)
			g.start(t, of(a)...)
			held.await(t)
			lock := filepath.Join(g.storage, "locks", "issue_cert_"+track+".lock")
			require.FileExists(t, lock)
			began := time.Now()
			g.stop(t)
			assert.Less(t, time.Since(began), 5*time.Second)
			assert.NoFileExists(t, lock)
			close(held.over)
			g.start(t, of(a)...)
			g.awaits(t, track, a.roots(t))
			assert.Less(t, time.Since(began), 15*time.Second, "and it is no failure")
		})
	}
}
