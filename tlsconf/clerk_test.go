package tlsconf

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneJobAtATimeForEachHost(t *testing.T) {
	c, began, end := newClerk(), make(chan string, 8), make(chan struct{})
	job := func(name string) func() {
		return func() {
			began <- name
			<-end
		}
	}
	c.give("a", job("a1"))
	assert.Equal(t, "a1", <-began)
	c.give("a", job("a2"))
	c.give("a", job("a3"))
	c.give("b", job("b1"))
	assert.Equal(t, "b1", <-began, "another host waits for nobody")
	assert.True(t, c.busy("a"))
	assert.False(t, c.busy("c"))
	assert.Empty(t, began)
	close(end)
	c.wait()
	assert.Equal(t, "a3", <-began, "the last one that was given")
	assert.Empty(t, began)
	assert.False(t, c.busy("a"))
}

func TestJobsAreBounded(t *testing.T) {
	c, end := newClerk(), make(chan struct{})
	var now, most atomic.Int64
	for i := range 3 * mostOrders {
		c.give(strconv.Itoa(i), func() {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-end
			now.Add(-1)
		})
	}
	require.Eventually(t, func() bool { return now.Load() == mostOrders }, 10*time.Second, time.Millisecond)
	close(end)
	c.wait()
	assert.LessOrEqual(t, most.Load(), int64(mostOrders))
}
