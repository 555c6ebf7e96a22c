//go:build suites

package suites

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// firstOf connects to the first of some addresses where somebody listens, as what
// stands before several gates does.
func firstOf(addresses ...string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		for _, address := range addresses {
			if conn, err = new(net.Dialer).DialContext(ctx, network, address); err == nil {
				break
			}
		}
		return conn, err
	}
}

// holds lets so many requests wait for the collector, and returns what waits for their
// answers.
func (c *caller) holds(t *testing.T, count int) (answered func()) {
	t.Helper()
	var there sync.WaitGroup
	for range count {
		there.Go(func() {
			status, err := read(c.Get(c.edge.url("/held")))
			assert.NoError(t, err, "a request under way")
			assert.Equal(t, http.StatusOK, status)
		})
	}
	c.edge.collector.await(t, count)
	return there.Wait
}

// stop tells the gate to leave, and returns when it has closed its door.
func (e *edge) stop(t *testing.T) (left <-chan error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- e.process.Stop() }()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", e.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, patience, 5*time.Millisecond, "the gate still listens")
	return ended
}

// What runs is finished, what came too late is sent again by the client itself, as
// GOAWAY tells it that nobody has seen it (RFC 9113, section 6.8).
func TestNoEventIsLostWhenAGateLeavesForAnother(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		const held, events = 8, 100
		leaving := c.edge
		next := newEdge(t, access{collector: leaving.collector, storage: leaving.storage})
		c.dial = firstOf(leaving.address, next.address)
		v := &visitors{ask: func(id string) (int, error) { return c.post(event(id, 0)) }}
		answered := c.holds(t, held)
		v.during(t, 8, often, func() {
			leaving.collector.await(t, held+events)
			left := leaving.stop(t)
			leaving.collector.await(t, held+2*events)
			close(leaving.collector.release)
			answered()
			assert.NoError(t, <-left)
			leaving.collector.await(t, held+3*events)
		})

		require.Empty(t, v.failures)
		var sent []string
		for _, id := range v.sent {
			sent = append(sent, event(id, 0))
		}
		leaving.collector.gotOnce(t, sent...)
		require.NoError(t, next.process.Stop()) // now its log is whole
		before, after := readEntries(t, leaving.accessLog), readEntries(t, next.accessLog)
		assert.NotEmpty(t, after)
		assert.Len(t, append(before, after...), held+len(sent), "requests in the logs of both")
	})
}

func TestGoIsToldClearlyThatNobodyListensAnyMore(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		answered := c.holds(t, 2)
		left := c.edge.stop(t)
		var accepted []string
		var err error
		for i := 0; err == nil; i++ { // until the client has heard of it
			body := event(fmt.Sprint(i), 0)
			if _, err = c.post(body); err == nil {
				accepted = append(accepted, body)
			}
		}
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		close(c.edge.collector.release)
		answered()
		assert.NoError(t, <-left)
		c.edge.collector.gotOnce(t, accepted...)
	})
}
