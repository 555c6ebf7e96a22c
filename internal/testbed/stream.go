package testbed

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Stream is a request over HTTP/2 and its answer, as far as they have come.
type Stream struct {
	ID uint32

	frames  *Frames
	window  int64 // how much the gate takes, beside what it said of all streams
	said    bool  // our side has ended
	tunnel  bool
	status  int // of the final answer; 0 before it came
	header  http.Header
	trailer http.Header
	interim []int
	heard   bytes.Buffer
	ended   bool // the gate's side
	reset   bool // by the gate
	code    http2.ErrCode
}

// Open sends the head of a request on a new stream.
func (f *Frames) Open(t testing.TB, end bool, fields ...string) *Stream {
	t.Helper()
	s, err := f.openStream(end, split(fields))
	require.NoError(t, err)
	return s
}

// split makes fields of lines such as ":path: /track".
func split(lines []string) (fields []hpack.HeaderField) {
	for _, line := range lines {
		at := strings.Index(line[1:], ": ") + 1
		fields = append(fields, hpack.HeaderField{Name: line[:at], Value: line[at+2:]})
	}
	return fields
}

// Event opens a stream that posts a body, whole.
func (f *Frames) Event(t testing.TB, target, body string, fields ...string) *Stream {
	t.Helper()
	require.NoError(t, f.say(Head("POST "+target, append(fields, "content-length: "+strconv.Itoa(len(body)))...)+body))
	f.asked = nil // each stream is asked itself
	return f.latest
}

func (f *Frames) openStream(end bool, fields []hpack.HeaderField) (*Stream, error) {
	s := &Stream{ID: 1, frames: f, said: end, window: usualWindow}
	if f.latest != nil {
		s.ID = f.latest.ID + 2
	}
	f.latest, f.streams[s.ID] = s, s
	return s, s.writeBlock(end, fields)
}

// writeBlock sends fields: of the head, or trailers.
func (s *Stream) writeBlock(end bool, fields []hpack.HeaderField) error {
	f := s.frames
	f.block.Reset()
	for _, field := range fields {
		f.encoder.WriteField(field) //nolint:errcheck // a buffer takes all
	}
	return f.write(func(w *http2.Framer) error {
		block := f.block.Bytes()
		part := block[:min(len(block), maxFrame)]
		err := w.WriteHeaders(http2.HeadersFrameParam{StreamID: s.ID, BlockFragment: part, EndStream: end, EndHeaders: len(part) == len(block)})
		for block = block[len(part):]; len(block) > 0 && err == nil; block = block[len(part):] {
			part = block[:min(len(block), maxFrame)]
			err = w.WriteContinuation(s.ID, len(part) == len(block), part)
		}
		return err
	})
}

const maxFrame = 16384 // bytes (RFC 9113 section 4.2)

// Reset gives the request up.
func (s *Stream) Reset(t testing.TB, code http2.ErrCode) {
	t.Helper()
	s.frames.Write(t, func(w *http2.Framer) error { return w.WriteRSTStream(s.ID, code) })
}

// Answer reads the answer to its end, which may be a reset before its head.
func (s *Stream) Answer(t testing.TB) *Result {
	t.Helper()
	r, err := s.begin()
	if !s.reset {
		require.NoError(t, err, "no answer came")
	}
	r.t = t
	return s.rest(r)
}

// Head waits for the head of the answer.
func (s *Stream) Head(t testing.TB) *Result {
	t.Helper()
	r, err := s.begin()
	require.NoError(t, err, "no answer came")
	r.t = t
	return r
}

// Got reads until so many bytes of the body have come in all.
func (s *Stream) Got(t testing.TB, bytes int) {
	t.Helper()
	s.frames.Until(t, "the body does not go on", func() bool { return s.heard.Len() >= bytes })
}

// Trailers ends the request with these fields, each "name: value".
func (s *Stream) Trailers(t testing.TB, fields ...string) {
	t.Helper()
	require.NoError(t, s.writeBlock(true, split(fields)))
}

// Data sends a part of the body.
func (s *Stream) Data(t testing.TB, p string, end bool) {
	t.Helper()
	require.NoError(t, s.data(p, end))
}

// data sends a part of the body as the gate's windows allow, unless the gate has
// ended the stream.
func (s *Stream) data(p string, end bool) error {
	for f := s.frames; ; {
		err := f.until(func() bool { return s.Room() > 0 || p == "" || s.Over() })
		if err != nil || s.Over() {
			return err
		}
		part := p[:min(s.Room(), maxFrame, int64(len(p)))]
		p = p[len(part):]
		s.window -= int64(len(part))
		f.window -= int64(len(part))
		s.said = end && p == ""
		if err := f.write(func(w *http2.Framer) error { return w.WriteData(s.ID, s.said, []byte(part)) }); err != nil || p == "" {
			return err
		}
	}
}

// Room is how much more of the body the gate takes now.
func (s *Stream) Room() int64 {
	room := s.window
	if initial, ok := s.frames.Settings[http2.SettingInitialWindowSize]; ok {
		room += int64(initial) - usualWindow
	}
	return max(0, min(room, s.frames.window))
}

// Over reports whether the gate has said all.
func (s *Stream) Over() bool { return s.ended || s.reset }

func (s *Stream) err() error {
	return fmt.Errorf("stream %d: status %d, reset %t, %v", s.ID, s.status, s.reset, s.code)
}

// take notes a frame of the gate.
func (s *Stream) take(frame http2.Frame) {
	switch frame := frame.(type) {
	case *http2.RSTStreamFrame:
		s.reset, s.code = true, frame.ErrCode
	case *http2.DataFrame:
		s.heard.Write(frame.Data())
		s.ended = frame.StreamEnded()
	case *http2.MetaHeadersFrame:
		s.takeHead(frame)
		s.ended = frame.StreamEnded()
	}
}

func (s *Stream) takeHead(frame *http2.MetaHeadersFrame) {
	fields := http.Header{}
	for _, field := range frame.RegularFields() {
		fields.Add(field.Name, field.Value)
	}
	status, _ := strconv.Atoi(frame.PseudoValue("status"))
	switch {
	case s.status > 0:
		s.trailer = fields
	case status < 200:
		s.interim = append(s.interim, status)
	default:
		s.status, s.header = status, fields
	}
}

func (s *Stream) begin() (*Result, error) {
	err := s.frames.until(func() bool { return s.status > 0 || s.Over() })
	if err == nil && s.status == 0 {
		err = s.err()
	}
	return &Result{
		Status: s.status, Header: s.header, Interim: s.interim, stream: s,
		stays: func() bool { return len(s.frames.GoAways) == 0 }, closes: s.closes,
	}, err
}

// rest reads the body. An answer to a request that goes on is followed by a reset (RFC
// 9113 section 8.1).
func (s *Stream) rest(r *Result) *Result {
	f := s.frames
	r.Err = f.until(func() bool { return s.reset || s.ended && s.said })
	if !s.ended {
		r.Err = errors.Join(r.Err, s.err())
	}
	if f.saying == s {
		f.saying, f.text = nil, "" // nobody takes the rest
	}
	r.Status, r.Header, r.Interim, r.trailer = s.status, s.header, s.interim, s.trailer
	r.Body = s.heard.String()
	s.heard.Reset()
	return r
}

func (s *Stream) closes() bool {
	err := s.frames.until(func() bool { return s.said || s.reset || len(s.frames.GoAways) > 0 })
	return err != errKept
}

// IsReset demands that the gate resets the stream, with this code.
func (r *Result) IsReset(code http2.ErrCode) *Result {
	r.t.Helper()
	s := r.stream
	assert.NoError(r.t, s.frames.until(func() bool { return s.reset }))
	assert.Equal(r.t, code, s.code)
	return r
}
