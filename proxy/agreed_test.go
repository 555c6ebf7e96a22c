package proxy_test

import (
	"crypto/tls"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// What ALPN agreed on is spoken and nothing else (RFC 9113, 3.3 and 3.4): bytes of the
// other protocol reach no backend.
func TestOnlyTheAgreedProtocolIsSpoken(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	for agreed, spoken := range map[string]string{
		"h2":       testbed.Head("POST /track", "Content-Length: 2") + "{}",
		"http/1.1": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		config := &tls.Config{ServerName: "track.test", InsecureSkipVerify: true}
		if agreed != "" {
			config.NextProtos = []string{agreed}
		}
		conn, err := tls.Dial("tcp", edge.Addr(0), config)
		require.NoError(t, err)
		require.Equal(t, agreed, conn.ConnectionState().NegotiatedProtocol)
		require.NoError(t, conn.SetDeadline(time.Now().Add(testbed.Patience)))
		_, err = conn.Write([]byte(spoken))
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection stays")
		if agreed != "h2" {
			assert.Regexp(t, `^HTTP/1.1 (400|505) `, string(answer))
		}
		assert.NotContains(t, string(answer), " 200 ")
		conn.Close()
	}
	assert.Zero(t, backend.Heads())
	require.Eventually(t, func() bool { return edge.Metric(t, testbed.HTTP2.Connections()) == 0 }, testbed.Patience, tick)
}
