//go:build suites

package suites

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGoSendsBodiesOfEverySizeAtOnce(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		var bodies []string
		for _, size := range []int{1, 100, 4 << 10, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 300 << 10, 1 << 20} {
			for i := range 4 {
				bodies = append(bodies, strings.Repeat(fmt.Sprint(i), size))
			}
		}
		c.postsAll(t, bodies)
		c.edge.collector.gotOnce(t, bodies...)
		c.edge.speak(t, spoken, len(bodies))
	})
}

func TestGoSendsAndGetsTrailers(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		for _, size := range []int{100, 200 << 10} { // held back, and passed on as it comes
			body := event("one", size)
			req, err := http.NewRequestWithContext(t.Context(), "POST", c.edge.url("/track"), io.MultiReader(strings.NewReader(body)))
			require.NoError(t, err)
			req.Trailer = http.Header{"X-Sum": {"of Go"}}
			res, err := c.Do(req)
			_, err = c.understood(len(body))(res, err)
			require.NoError(t, err)
			assert.Equal(t, http.Header{"X-Sum": {fmt.Sprintf("sum-%d", len(body))}}, res.Trailer)
			got := c.edge.collector.deliveries()
			assert.Equal(t, delivery{"POST", "/track", "", body, "of Go"}, got[len(got)-1])
		}
		c.edge.speak(t, spoken, 2)
	})
}

// A request that was begun and is given up ends its stream alone.
func TestGoGivesUpOneRequestOfMany(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		first, others := several(1, 10), several(60, 50<<10)
		c.postsAll(t, first)
		giveUp := make([]func(), 3)
		for i := range giveUp {
			giveUp[i] = c.begin(t, 200<<10)
		}
		var there sync.WaitGroup
		there.Go(func() { c.postsAll(t, others) })
		c.edge.collector.await(t, len(others)/4)
		for _, f := range giveUp {
			f()
		}
		there.Wait()
		c.edge.collector.gotOnce(t, append(first, others...)...)
		assert.EqualValues(t, 1, c.connections.Load(), "connections")

		reasons := map[string]int{}
		for _, line := range c.edge.entries(t, 1+len(giveUp)+len(others)) {
			reasons[line.Reason]++
		}
		assert.Equal(t, map[string]int{"ok": 1 + len(others), "client_closed": len(giveUp)}, reasons)
	})
}

// begin posts an event whose end never comes, sends so many bytes of it, and returns
// what gives it up.
func (c *caller) begin(t *testing.T, size int) (giveUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, "POST", c.edge.url("/track"), reader)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Do(req)
		ended <- err
	}()
	_, err = writer.Write(make([]byte, size))
	require.NoError(t, err)
	return func() {
		cancel()
		assert.ErrorIs(t, <-ended, context.Canceled)
		writer.Close()
	}
}
