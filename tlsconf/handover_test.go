package tlsconf

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A gate may be started before the storage that it shares, or while its disk is full.
func TestAStorageThatIsAwayAtTheStartIsNotTheEndOfOrders(t *testing.T) {
	root, settings := newRoot(t), ordered(t.TempDir())
	root.deliver(t, settings, 0, "kept.example.com", order{})
	l := &log{}
	k, err := New(settings, listening("kept.example.com", "new.example.com"), l.logger())
	require.NoError(t, err)
	m := k.managed
	remote := &away{Storage: m.storage.Storage}
	remote.away.Store(true)
	m.storage = newBundles(remote)
	ctx, end := context.WithCancel(t.Context())
	often := usualPace()
	often.poll = 10 * time.Millisecond
	stop := m.start(ctx, often)
	defer func() {
		end()
		stop()
		m.idle(t)
	}()
	said := func(host, what string) int {
		n := 0
		for line := range strings.Lines(l.String()) {
			if strings.Contains(line, host) && strings.Contains(line, what) {
				n++
			}
		}
		return n
	}
	for _, host := range m.hosts() {
		require.Eventually(t, func() bool { return said(host, "which is tried again") == 1 }, 10*time.Second, time.Millisecond)
	}
	<-time.After(5 * often.poll)
	assert.Zero(t, m.renewing())
	assert.Zero(t, m.order("new.example.com"), "nothing is ordered that may be there")

	remote.away.Store(false)
	require.Eventually(t, func() bool { return m.renewing() == 1 }, 10*time.Second, time.Millisecond, "what is there is looked after")
	require.Eventually(t, func() bool { return m.order("new.example.com").Failures == 1 }, 10*time.Second, time.Millisecond, "what is not is ordered")
	require.Eventually(t, func() bool { return said("kept.example.com", "ordered and renewed from now on") == 1 }, 10*time.Second, time.Millisecond)
	for _, host := range m.hosts() {
		assert.Equal(t, 1, said(host, "which is tried again"), "and said once")
	}
}
