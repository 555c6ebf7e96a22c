package testbed

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAHeadMeansTheSameInHTTP2(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]struct {
		fields string
		body   framing
	}{
		Head("GET /x?y"): {":method: GET|:scheme: https|:path: /x?y|:authority: track.test", framing{}},
		Head("POST /", "Host: A.test", "Content-Length: 5", "X-Own:  1 "): {
			":method: POST|:scheme: https|:path: /|:authority: A.test|content-length: 5|x-own: 1", framing{left: 5}},
		Head("POST /", "Transfer-Encoding: chunked", "Connection: close, x-hop", "X-Hop: 1"): {
			":method: POST|:scheme: https|:path: /|:authority: track.test", framing{chunked: true}},
		Head("GET /ws", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"): {
			":method: CONNECT|:scheme: https|:path: /ws|:authority: track.test|:protocol: websocket", framing{tunnel: true}},
		"POST / HTTP/1.1\r\n\r\n": {":method: POST|:scheme: https|:path: /", framing{}},
	} {
		fields, body, err := translated(strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n"))
		require.NoError(t, err, head)
		var got []string
		for _, f := range fields {
			got = append(got, f.Name+": "+f.Value)
		}
		assert.Equal(t, want.fields, strings.Join(got, "|"))
		assert.Equal(t, want.body, body, head)
	}
	_, _, err := translated([]string{"GET / HTTP/1.1", "no field"})
	assert.Error(t, err)
}
