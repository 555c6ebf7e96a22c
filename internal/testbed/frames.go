package testbed

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Frames is a client's side of an HTTP/2 connection. It sends the frames it is told,
// and of its own accord only the preface and, when it reads them, the acknowledgements
// of SETTINGS and PING. It reads while somebody waits for something. Its windows are
// as large as can be or what the Way says, and it never opens them further.
type Frames struct {
	net.Conn
	Settings map[http2.SettingID]uint32 // of the gate
	GoAways  []GoAway                   // in their order

	framer  *http2.Framer
	out     bytes.Buffer
	encoder *hpack.Encoder
	block   bytes.Buffer
	streams map[uint32]*Stream
	latest  *Stream
	asked   []*Stream // whose answers were not read yet
	pongs   int
	window  int64

	text   string  // that could not be said yet
	saying *Stream // whose body the text goes on with
	body   framing
}

// GoAway is what the gate says when it leaves.
type GoAway struct {
	Last uint32 // the highest stream that may have been served
	Code http2.ErrCode
}

// maxWindow is the largest window, and usualWindow that of a connection at first (RFC
// 9113 section 6.9).
const (
	maxWindow   = math.MaxInt32
	usualWindow = 65535
)

// Frames connects over HTTP/2.
func (g *Gate) Frames(t testing.TB, way Way) *Frames {
	t.Helper()
	way.Protocol = HTTP2
	return g.Dial(t, way).wording.(*Frames)
}

// NewFrames speaks HTTP/2 on a connection that was agreed on.
func NewFrames(t testing.TB, nc net.Conn) *Frames {
	t.Helper()
	f, err := newFrames(nc, 0)
	require.NoError(t, err)
	return f
}

func newFrames(nc net.Conn, window uint32) (*Frames, error) {
	f := &Frames{Conn: nc, streams: map[uint32]*Stream{}, window: usualWindow, Settings: map[http2.SettingID]uint32{}}
	f.framer = http2.NewFramer(&f.out, nc)
	f.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.encoder = hpack.NewEncoder(&f.block)
	f.out.WriteString(http2.ClientPreface)
	if window == 0 {
		window = maxWindow
	}
	return f, f.write(func(w *http2.Framer) error {
		return errors.Join(
			w.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}),
			w.WriteWindowUpdate(0, maxWindow-usualWindow))
	})
}

// write sends the frames that say writes, in one piece.
func (f *Frames) write(say func(*http2.Framer) error) error {
	if err := say(f.framer); err != nil {
		return err
	}
	hurry(f.Conn)
	_, err := f.out.WriteTo(f.Conn)
	f.out.Reset()
	return err
}

// Write sends the frames that say writes, in one piece.
func (f *Frames) Write(t testing.TB, say func(*http2.Framer) error) {
	t.Helper()
	require.NoError(t, f.write(say))
}

// Until reads until something is so.
func (f *Frames) Until(t testing.TB, what string, so func() bool) {
	t.Helper()
	require.NoError(t, f.until(so), what)
}

func (f *Frames) until(so func() bool) error {
	for !so() {
		if _, err := f.next(); err != nil {
			return err
		}
	}
	return nil
}

// Settle reads what the gate has said so far, and sees to it that the gate has read
// what this client has.
func (f *Frames) Settle(t testing.TB) {
	t.Helper()
	before := f.pongs
	f.Write(t, func(w *http2.Framer) error { return w.WritePing(false, [8]byte{}) })
	f.Until(t, "no answer to a PING", func() bool { return f.pongs > before })
}

// Left demands that the gate ends the connection without another answer, and returns
// what it said about that.
func (f *Frames) Left(t testing.TB) []GoAway {
	t.Helper()
	unexpected, err := f.farewell()
	require.NotErrorIs(t, err, errKept)
	require.Empty(t, unexpected)
	return f.GoAways
}

// next reads one frame and notes what it says.
func (f *Frames) next() (http2.Frame, error) {
	hurry(f.Conn)
	frame, err := f.framer.ReadFrame()
	if err != nil {
		return nil, kept(err)
	}
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		f.settings(frame)
	case *http2.PingFrame:
		f.ping(frame)
	case *http2.GoAwayFrame:
		f.GoAways = append(f.GoAways, GoAway{frame.LastStreamID, frame.ErrCode})
	case *http2.WindowUpdateFrame:
		f.open(frame)
	case *http2.MetaHeadersFrame, *http2.DataFrame, *http2.RSTStreamFrame:
		if s := f.streams[frame.Header().StreamID]; s != nil {
			s.take(frame)
		}
	}
	return frame, nil
}

func (f *Frames) settings(frame *http2.SettingsFrame) {
	if frame.IsAck() {
		return
	}
	frame.ForeachSetting(func(s http2.Setting) error { //nolint:errcheck // it returns none
		f.Settings[s.ID] = s.Val
		return nil
	})
	f.write((*http2.Framer).WriteSettingsAck) //nolint:errcheck // the gate may be gone
}

func (f *Frames) ping(frame *http2.PingFrame) {
	if frame.IsAck() {
		f.pongs++
		return
	}
	f.write(func(w *http2.Framer) error { return w.WritePing(true, frame.Data) }) //nolint:errcheck // the gate may be gone
}

func (f *Frames) open(frame *http2.WindowUpdateFrame) {
	if frame.StreamID == 0 {
		f.window += int64(frame.Increment)
	} else if s := f.streams[frame.StreamID]; s != nil {
		s.window += int64(frame.Increment)
	}
}

func (f *Frames) hint() (int, error) {
	if len(f.asked) == 0 {
		return 0, errUnasked
	}
	s := f.asked[0]
	if err := f.until(func() bool { return len(s.interim) > 0 || s.Over() }); err != nil {
		return 0, err
	}
	if s.Over() {
		return 0, s.err()
	}
	status := s.interim[0]
	s.interim = s.interim[1:]
	return status, nil
}

var errUnasked = errors.New("no request waits for an answer")

func (f *Frames) begin(string) (*Result, error) {
	if len(f.asked) == 0 {
		return nil, errUnasked
	}
	return f.asked[0].begin()
}

func (f *Frames) hear(p []byte) error {
	s := f.latest
	err := f.until(func() bool { return s.heard.Len() >= len(p) || s.Over() })
	if err != nil {
		return err
	}
	_, err = io.ReadFull(&s.heard, p)
	return err
}

func (f *Frames) rest(r *Result) *Result {
	if r.stream.tunnel && r.Status == http.StatusOK {
		return r
	}
	f.asked = f.asked[1:]
	return r.stream.rest(r)
}

func (f *Frames) giveUp() {
	f.saying, f.text = nil, ""
	if len(f.asked) == 0 {
		return
	}
	s := f.latest
	f.write(func(w *http2.Framer) error { return w.WriteRSTStream(s.ID, http2.ErrCodeCancel) }) //nolint:errcheck // the gate may be gone
	f.asked = f.asked[:len(f.asked)-1]
}

func (f *Frames) close() (unexpected string, err error) {
	s := f.latest
	before := s.status
	err = f.until(s.Over)
	if s.status != before {
		unexpected = "a head, "
	}
	return unexpected + s.heard.String(), err
}

func (f *Frames) farewell() (unexpected string, err error) {
	for {
		frame, err := f.next()
		if err != nil {
			return unexpected, err
		}
		switch frame.(type) {
		case *http2.MetaHeadersFrame, *http2.DataFrame:
			unexpected += frame.Header().String() + " "
		}
	}
}
