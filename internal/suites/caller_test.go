//go:build suites

package suites

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
)

// caller is one of Go's clients for HTTP/2.
type caller struct {
	*http.Client
	edge        *edge
	connections atomic.Int64 // that it made
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
}

// withCallers runs a test with the client of net/http, and with that of x/net, each
// with an edge of its own.
func withCallers(t *testing.T, a access, test func(t *testing.T, c *caller)) {
	for name, transport := range map[string]func(*caller, *tls.Config) http.RoundTripper{"net_http": standard, "x_net": separate} {
		t.Run(name, func(t *testing.T) {
			test(t, newCaller(t, newEdge(t, a), transport))
		})
	}
}

func newCaller(t *testing.T, e *edge, transport func(*caller, *tls.Config) http.RoundTripper) *caller {
	t.Helper()
	c := &caller{edge: e, dial: new(net.Dialer).DialContext}
	c.Client = &http.Client{Transport: transport(c, &tls.Config{RootCAs: e.roots(t)}), Timeout: patience}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// standard is how net/http asks.
func standard(c *caller, config *tls.Config) http.RoundTripper {
	return &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DialContext: c.connect, ExpectContinueTimeout: patience}
}

// separate is how x/net asks, with connections that it manages itself.
func separate(c *caller, config *tls.Config) http.RoundTripper {
	//lint:ignore SA1019 programs that were written before net/http could do as much still have it
	return &http2.Transport{TLSClientConfig: config, DialTLSContext: func(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
		conn, err := c.connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return tls.Client(conn, config), nil
	}}
}

func (c *caller) connect(ctx context.Context, network, address string) (net.Conn, error) {
	c.connections.Add(1)
	return c.dial(ctx, network, address)
}

// post sends a body and returns the status, and whether all of it was understood.
func (c *caller) post(body string) (int, error) {
	return c.understood(len(body))(c.Post(c.edge.url("/track"), "application/json", strings.NewReader(body)))
}

// understood reads an answer, which must say how large the body was.
func (c *caller) understood(size int) func(*http.Response, error) (int, error) {
	return func(res *http.Response, err error) (int, error) {
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if want := fmt.Sprintf(`{"size": %d}`, size); err == nil && string(text) != want {
			err = fmt.Errorf("the answer to %d bytes is %.100q", size, text)
		}
		return res.StatusCode, err
	}
}

// postsAll sends bodies, all at once, and demands that each is accepted.
func (c *caller) postsAll(t *testing.T, bodies []string) {
	t.Helper()
	var there sync.WaitGroup
	for _, body := range bodies {
		there.Go(func() {
			status, err := c.post(body)
			assert.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
		})
	}
	there.Wait()
}

// several makes events of a size.
func several(count, size int) []string {
	var bodies []string
	for i := range count {
		bodies = append(bodies, event(fmt.Sprintf("%d of %d bytes", i, size), size))
	}
	return bodies
}
