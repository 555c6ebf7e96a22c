package proxy_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/trackgate/trackgate/internal/testbed"
)

// frugalFrames posts page views over HTTP/2 and allocates nothing: each is the same
// two frames, with the number of a stream of its own.
type frugalFrames struct {
	*testbed.Frames
	request []byte
	data    int // where its DATA begins
	stream  uint32
	buffer  []byte
}

func newFrugalFrames(t testing.TB, edge *testbed.Gate) *frugalFrames {
	t.Helper()
	c := &frugalFrames{Frames: edge.Frames(t, testbed.Way{}), buffer: make([]byte, 16<<10)}
	s := c.Event(t, "/track", pageView) // SETTINGS go both ways with it
	s.Answer(t).HasStatus(200).HasBody(profile)
	c.stream = s.ID
	var out, block bytes.Buffer
	encoder, framer := hpack.NewEncoder(&block), http2.NewFramer(&out, nil)
	encoder.SetMaxDynamicTableSize(0)
	for _, field := range slices.Concat(post, []string{"content-type: application/json", "content-length: 995"}, trackerFields[:len(trackerFields)-1]) {
		at := strings.LastIndex(field, ": ") // no value has one
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(field[:at]), Value: field[at+2:]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	c.data = out.Len()
	require.NoError(t, framer.WriteData(1, true, []byte(pageView)))
	c.request = out.Bytes()
	return c
}

// post sends one page view and reads up to the end of its stream.
func (c *frugalFrames) post() error {
	c.stream += 2
	binary.BigEndian.PutUint32(c.request[5:], c.stream)
	binary.BigEndian.PutUint32(c.request[c.data+5:], c.stream)
	if _, err := c.Conn.Write(c.request); err != nil {
		return err
	}
	for have := 0; ; {
		n, err := c.Conn.Read(c.buffer[have:])
		if err != nil {
			return err
		}
		have += n
		if ended(c.buffer[:have], c.stream) {
			return nil
		}
	}
}

// ended reports whether frames, all whole, are the last of a stream.
func ended(b []byte, stream uint32) (end bool) {
	for len(b) >= 9 {
		end = end || http2.FrameType(b[3]) == http2.FrameData && b[4]&1 != 0 && binary.BigEndian.Uint32(b[5:]) == stream
		whole := 9 + (int(b[0])<<16 | int(b[1])<<8 | int(b[2]))
		if len(b) < whole {
			return false
		}
		b = b[whole:]
	}
	return end && len(b) == 0
}
