//go:build suites

package suites

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// observed is a body that tells when it is first asked for.
type observed struct {
	io.Reader
	asked atomic.Bool
}

func (o *observed) Read(p []byte) (int, error) {
	o.asked.Store(true)
	return o.Reader.Read(p)
}

// interim is what a client hears before an answer.
type interim struct {
	status int
	fields textproto.MIMEHeader
}

// tracing makes a request tell of each interim answer.
func tracing(t *testing.T, c *caller, body io.Reader, length int, heard func(interim)) *http.Request {
	t.Helper()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, fields textproto.MIMEHeader) error {
		heard(interim{status, fields})
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", c.edge.url("/track"), body)
	require.NoError(t, err)
	req.ContentLength = int64(length)
	return req
}

// x/net's client does not wait for what it has asked for.
func TestGoHoldsABodyBackUntilItIsAskedFor(t *testing.T) {
	c := newCaller(t, newEdge(t, access{}), standard)
	for _, size := range []int{100, 200 << 10} {
		text := event("expected", size)
		body := &observed{Reader: strings.NewReader(text)}
		var heard []int
		req := tracing(t, c, body, len(text), func(i interim) {
			assert.False(t, body.asked.Load(), "the body was sent before it was asked for")
			heard = append(heard, i.status)
		})
		req.Header.Set("Expect", "100-continue")
		status, err := c.understood(len(text))(c.Do(req))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, []int{http.StatusContinue}, heard)
	}
	c.edge.collector.gotOnce(t, event("expected", 100), event("expected", 200<<10))
}

func TestGoNeverSendsABodyThatIsNotWanted(t *testing.T) {
	c := newCaller(t, newEdge(t, access{}), standard)
	body := &observed{Reader: strings.NewReader(event("too large", 3<<20))}
	req := tracing(t, c, body, 3<<20, func(i interim) { assert.Fail(t, "the body was asked for", "%+v", i) })
	req.Header.Set("Expect", "100-continue")
	res, err := c.Do(req)
	require.NoError(t, err)
	assertTooLarge(t, res)
	assert.False(t, body.asked.Load(), "the body was sent")
	c.goesOn(t)
}

// A client that has said how much it will send hears at once that it is too much; one
// that has not, when it is.
func TestGoReadsARefusalBeforeItsBodyIsSent(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		for length, most := range map[int]int{3 << 20: 1 << 10, -1: 1<<20 + 1} {
			reader, writer := io.Pipe()
			go writer.Write(make([]byte, most)) //nolint:errcheck // nobody need read all of it
			res, err := c.Do(tracing(t, c, reader, length, func(interim) {}))
			require.NoError(t, err)
			assertTooLarge(t, res)
			writer.Close()
		}
		c.goesOn(t)
	})
}

func assertTooLarge(t *testing.T, res *http.Response) {
	t.Helper()
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	assert.NoError(t, err)
	assert.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
	assert.Contains(t, string(text), `"reason": "body_too_large"`)
}

// goesOn demands that the connection is as good as before, and that nothing else has
// reached the collector.
func (c *caller) goesOn(t *testing.T) {
	t.Helper()
	c.postsAll(t, several(1, 100))
	c.edge.collector.gotOnce(t, several(1, 100)...)
	assert.EqualValues(t, 1, c.connections.Load(), "connections")
}

// The hints come while the collector still works on its answer (RFC 8297).
func TestGoHearsEarlyHints(t *testing.T) {
	withCallers(t, access{}, func(t *testing.T, c *caller) {
		var heard []interim
		req := tracing(t, c, strings.NewReader("hints"), len("hints"), func(i interim) {
			heard = append(heard, i)
			close(c.edge.collector.release)
		})
		req.URL.RawQuery = "hints"
		status, err := c.understood(len("hints"))(c.Do(req))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		require.Len(t, heard, 1)
		assert.Equal(t, http.StatusEarlyHints, heard[0].status)
		assert.Equal(t, []string{"</liliput.min.js>; rel=preload"}, heard[0].fields["Link"])
	})
}
