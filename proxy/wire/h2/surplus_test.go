package h2_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h2"
)

// mostBody is what requests may have in these tests.
const mostBody = 100 << 10

// refuser is a connection whose requests are read until something is wrong with them,
// and then answered with 413.
type refuser struct {
	h2.Conn
	working sync.WaitGroup
}

func (r *refuser) Serve(s *h2.Stream) { r.working.Go(func() { refuse(s) }) }

func (r *refuser) Flush() { r.working.Go(r.Conn.Flush) }

func refuse(s *h2.Stream) {
	defer s.End()
	_, err := s.ReadHead(time.Now())
	if err == nil {
		_, _, err = s.Hold(wire.MaxHold)
	}
	for b := make([]byte, 1<<10); err == nil; {
		_, err = s.Read(b)
	}
	s.Start(413)
	s.Frame(0)
	s.Finish(nil, nil) //nolint:errcheck // the client sees it
}

// refused starts a refuser and returns a client of it, with all that goes there first:
// the head of a request on stream 1, and these fields in it.
func refused(t *testing.T, fields ...string) *xhttp2.Framer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	other, err := l.Accept()
	require.NoError(t, err)
	r := &refuser{}
	r.Init(other, &h2.Config{
		Limits: wire.Limits{Body: mostBody, Head: 16 << 10, Target: 1 << 10, Fields: 100}, Streams: 10, Total: 1000,
		Head: 20 * time.Second, Body: 20 * time.Second, Write: 20 * time.Second,
	}, r)
	r.working.Go(func() { r.Conn.Serve(20 * time.Second) }) //nolint:errcheck // the client leaves when it wants
	t.Cleanup(func() {
		conn.Close()
		other.Close()
		r.working.Wait()
	})
	_, err = conn.Write([]byte(xhttp2.ClientPreface))
	require.NoError(t, err)
	f := xhttp2.NewFramer(conn, conn)
	require.NoError(t, f.WriteSettings())
	head := []string{":method", "POST", ":scheme", "https", ":path", "/track", ":authority", "track.test"}
	require.NoError(t, f.WriteHeaders(xhttp2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true, BlockFragment: fieldBlock(append(head, fields...)...),
	}))
	return f
}

// fieldBlock encodes names and values.
func fieldBlock(pairs ...string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(pairs); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) //nolint:errcheck // into memory
	}
	return block.Bytes()
}

// upload sends a body of just more than it may be.
func upload(t *testing.T, f *xhttp2.Framer, endStream bool) {
	t.Helper()
	const part = wire.MaxHold / 8 // the first window must not end within a part
	granted := wire.MaxHold
	for sent := 0; sent <= mostBody; sent += part {
		for granted < part {
			granted += windowUpdate(t, f)
		}
		granted -= part
		require.NoError(t, f.WriteData(1, endStream && sent+part > mostBody, make([]byte, part)))
	}
}

// windowUpdate waits for more room to send on stream 1.
func windowUpdate(t *testing.T, f *xhttp2.Framer) int {
	t.Helper()
	for {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		if update, ok := frame.(*xhttp2.WindowUpdateFrame); ok && update.StreamID == 1 {
			return int(update.Increment)
		}
	}
}

// answered pings and returns the frames that came for stream 1 before the answer to
// that, but for WINDOW_UPDATE.
func answered(t *testing.T, f *xhttp2.Framer) (frames []xhttp2.FrameType, codes []xhttp2.ErrCode) {
	t.Helper()
	require.NoError(t, f.WritePing(false, [8]byte{}))
	for {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		switch frame := frame.(type) {
		case *xhttp2.PingFrame:
			return frames, codes
		case *xhttp2.RSTStreamFrame:
			codes = append(codes, frame.ErrCode)
		}
		if h := frame.Header(); h.StreamID == 1 && h.Type != xhttp2.FrameWindowUpdate {
			frames = append(frames, h.Type)
		}
	}
}

// headed waits for the head of the answer.
func headed(t *testing.T, f *xhttp2.Framer) {
	t.Helper()
	for {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		if frame.Header().Type == xhttp2.FrameHeaders {
			assert.True(t, frame.(*xhttp2.HeadersFrame).StreamEnded())
			return
		}
	}
}

// Nothing else would tell the client, whose window is not opened any more, to stop
// (RFC 9113 section 8.1).
func TestTheRestOfABodyThatIsTooLongIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := refused(t)
	upload(t, f, false)
	headed(t, f)
	frames, codes := answered(t, f)
	assert.Equal(t, []xhttp2.FrameType{xhttp2.FrameRSTStream}, frames)
	assert.Equal(t, []xhttp2.ErrCode{xhttp2.ErrCodeNo}, codes)

	// What was on its way is no mistake of the client's.
	require.NoError(t, f.WriteData(1, false, make([]byte, 1<<10)))
	require.NoError(t, f.WriteHeaders(xhttp2.HeadersFrameParam{
		StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: fieldBlock("x-sum", "1"),
	}))
	frames, _ = answered(t, f)
	assert.Empty(t, frames)
}

func TestABodyThatIsTooLongAndWholeIsNotReset(t *testing.T) {
	t.Parallel()
	f := refused(t)
	upload(t, f, true)
	headed(t, f)
	frames, _ := answered(t, f)
	assert.Empty(t, frames)
}

// The connection did, in an endless loop: what is wrong with a head is known before its
// body has a length.
func TestTheDataOfAMalformedRequestDoesNotStopTheConnection(t *testing.T) {
	t.Parallel()
	for range 5 { // head and data may or may not be read together
		f := refused(t, "connection", "close")
		require.NoError(t, f.WriteData(1, false, make([]byte, 16<<10)))
		headed(t, f)
		_, codes := answered(t, f)
		assert.Equal(t, []xhttp2.ErrCode{xhttp2.ErrCodeProtocol}, codes)
	}
}
