package access

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// held is how many clients c remembers.
func held(c *Counter) (n int) {
	for i := range c.shards {
		n += len(c.shards[i].open)
	}
	return n
}

func TestAClientHasItsConnectionsAndNoMore(t *testing.T) {
	c, client, other := NewCounter(2), netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.10")

	assert.True(t, c.Acquire(client))
	assert.True(t, c.Acquire(client))
	assert.False(t, c.Acquire(client))
	assert.True(t, c.Acquire(other), "another client is not concerned")
	c.Release(client)
	assert.True(t, c.Acquire(client))
	assert.False(t, c.Acquire(client))
}

func TestAddressesOfOneClientAreCountedTogether(t *testing.T) {
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"203.0.113.9", "::ffff:203.0.113.9", true},
		{"203.0.113.9", "203.0.113.8", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		c := NewCounter(1)
		assert.True(t, c.Acquire(netip.MustParseAddr(row.a)))
		assert.Equal(t, !row.same, c.Acquire(netip.MustParseAddr(row.b)), "%s and %s", row.a, row.b)
	}
}

func TestTheLimitCanChangeWhileConnectionsAreOpen(t *testing.T) {
	c, client := NewCounter(0), netip.MustParseAddr("203.0.113.9")
	for range 5 {
		assert.True(t, c.Acquire(client), "0 is no limit")
	}

	c.SetLimit(5)
	assert.False(t, c.Acquire(client))
	c.SetLimit(6)
	assert.True(t, c.Acquire(client))
}

func TestClientsThatLeftAreForgotten(t *testing.T) {
	c, stays := NewCounter(10), netip.MustParseAddr("203.0.113.9")
	c.Acquire(stays)
	for i := range 1000 {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		c.Acquire(addr)
		c.Release(addr)
	}
	assert.Equal(t, 1, held(c))
	c.Release(stays)
	c.Release(stays)
	assert.Zero(t, held(c))
	assert.True(t, c.Acquire(stays), "a release too many does no harm")
}

func TestCountingIsExactUnderLoad(t *testing.T) {
	const limit, workers, rounds = 3, 8, 2000
	c, client := NewCounter(limit), netip.MustParseAddr("2001:db8::1")
	var all sync.WaitGroup
	slots := make(chan struct{}, limit)
	for range workers {
		all.Go(func() {
			for range rounds {
				if !c.Acquire(client) {
					continue
				}
				select {
				case slots <- struct{}{}:
					<-slots
				default:
					t.Error("more connections than the limit")
				}
				c.Release(client)
			}
		})
	}
	all.Wait()
	assert.Zero(t, held(c))
}

func TestCountingAllocatesNothing(t *testing.T) {
	c, client := NewCounter(10), netip.MustParseAddr("2001:db8::1")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c.Acquire(client)
		c.Release(client)
	}))
}
