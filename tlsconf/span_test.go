package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestASpanEndsWithEachChange(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return begin.AddDate(0, 0, days) }
	lasting := func(from, until int, ours bool) heldCert {
		return heldCert{cert: &tls.Certificate{Leaf: &x509.Certificate{NotBefore: at(from), NotAfter: at(until)}}, ours: ours}
	}
	held := []heldCert{lasting(0, 90, true), lasting(10, 20, false)}
	for _, test := range []struct {
		now         time.Time
		from, until time.Time
	}{
		{at(-1), time.Time{}, at(0)},
		{at(0), at(0), at(10)},
		{at(10), at(10), behind(at(20))},
		{at(20), at(10), behind(at(20))}, // its last moment
		{at(30), behind(at(20)), behind(at(60))},
		{at(61), behind(at(60)), behind(at(90))},
		{at(91), behind(at(90)), time.Time{}},
	} {
		s := around(test.now, held)
		require.Equal(t, span{test.from, test.until}, s, "%s", test.now)
		require.True(t, s.holds(test.now))
		require.False(t, s.holds(test.from.Add(-1)), "before it")
		require.Equal(t, test.until.IsZero(), s.holds(at(1000)), "behind it")
	}
	require.True(t, around(begin, nil).holds(at(-1000)))
}

// A clock that is set, or a machine that slept, is noticed before clients have refused
// the certificate for long.
func TestASetClockLeavesNoCertificateThatIsNotValid(t *testing.T) {
	now := &clock{at: time.Now()}
	k, err := newKeeper(internalCA(t.TempDir()), []configs.Listener{track()}, zerolog.Nop(), now.now)
	require.NoError(t, err)
	p := still()
	p.look = time.Millisecond
	running(t, k, p)
	for _, jump := range []time.Duration{61, 30, 90, -365, 365} {
		now.forward(jump * 24 * time.Hour)
		require.Eventually(t, func() bool {
			shown := k.Certificates()[0]
			return shown.NotAfter.Sub(now.now()) > 29*24*time.Hour && !now.now().Before(shown.NotBefore)
		}, 5*time.Second, time.Millisecond, "after %d days", jump)
	}
}

// What fails is left to the usual times.
func TestARenewalThatFailsIsNotTriedAllTheTime(t *testing.T) {
	l, now, settings := &log{}, &clock{at: time.Now()}, internalCA(filepath.Join(t.TempDir(), "file", "folder"))
	require.NoError(t, os.WriteFile(filepath.Dir(settings.Storage), nil, 0o600)) // no folder can be made there
	settings.Files = []configs.KeyPair{newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: track().Hosts})}
	k, err := newKeeper(settings, []configs.Listener{track()}, l.logger(), now.now)
	require.NoError(t, err)
	now.forward(365 * 24 * time.Hour)
	for range 3 {
		k.lookAtClock()
	}
	require.Equal(t, 1, strings.Count(l.String(), "certificates could not be renewed"))
}
