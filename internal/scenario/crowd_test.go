//go:build scenario

package scenario

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The gate keeps some goroutines for those who come next. A crowd needs more than it
// keeps: of connections that have none, and of requests over HTTP/2, at most so many on
// one connection.
const (
	crowd      = 80
	crowded    = 520
	crowdTrunk = 80
)

// rested are the vitals of a gate that has served a crowd before.
func (s *site) rested(t *testing.T) vitals {
	t.Helper()
	s.crowdLines(t)
	s.crowdTrunks(t)
	require.True(t, await(recovery, func() bool { return s.vitals(t).sum("trackgate_connections") == 0 }), "the crowd has left")
	return s.vitals(t)
}

// crowdLines has a goroutine for each of many handshakes.
func (s *site) crowdLines(t *testing.T) {
	t.Helper()
	var lines []*line
	for range crowd {
		l, err := s.client.line(true)
		require.NoError(t, err)
		lines = append(lines, l)
	}
	s.goroutines(t, crowd, "handshake")
	for _, l := range lines {
		fmt.Fprint(l, "GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n")
	}
	for _, l := range lines {
		_, err := l.in.ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}

// crowdTrunks has a goroutine for each of many requests whose answers are not taken.
func (s *site) crowdTrunks(t *testing.T) {
	t.Helper()
	for range (crowded + crowdTrunk - 1) / crowdTrunk {
		conn, err := s.client.dial()
		require.NoError(t, err)
		conn, err = s.client.agree(t.Context(), conn)
		require.NoError(t, err)
		defer conn.Close()
		askInVain(t, conn)
	}
	s.goroutines(t, crowded, "answer")
}

// askInVain sends a trunk full of requests and opens no window for their answers.
func askInVain(t *testing.T, conn io.Writer) {
	t.Helper()
	_, err := io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, nil)
	require.NoError(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := range uint32(crowdTrunk) {
		block.Reset()
		for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/nowhere"}} {
			require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
		}
		require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
	}
}

// goroutines waits until the gate has at least so many.
func (s *site) goroutines(t *testing.T, least float64, each string) {
	t.Helper()
	require.True(t, await(recovery, func() bool { return s.vitals(t)[goroutines] >= least }), "a goroutine for each %s", each)
}
