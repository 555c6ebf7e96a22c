package wirecheck

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Protocol is what the corpus and ALPN call HTTP/2.
const http2Protocol = "h2"

// streams is the ear for HTTP/2. The Framer refuses what breaks the framing or is
// no well-formed field block, so that remains to be checked what needs to know the
// stream.
type streams struct {
	in      *http2.Framer
	client  io.Writer
	heard   *outcome
	last    uint32          // stream of the client
	awaited map[uint32]bool // whose end is an event
	at      map[uint32]int  // their answers
	ended   map[uint32]bool // by the gate
}

func newStreams(conn io.ReadWriter, c clientCase, heard *outcome) *streams {
	s := &streams{
		in: http2.NewFramer(io.Discard, conn), client: conn, heard: heard, last: lastAsked(c.Frames),
		awaited: map[uint32]bool{}, at: map[uint32]int{}, ended: map[uint32]bool{},
	}
	s.in.SetMaxReadFrameSize(16384)
	s.in.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	heard.asked, heard.resets = s.last, map[uint32]string{}
	s.awaited[s.last] = true
	if c.Expect.StillUsable {
		s.last += 2
		s.awaited[s.last] = true
	}
	return s
}

// next reads up to the SETTINGS of the gate, the end of an awaited stream, or GOAWAY.
func (s *streams) next() (event, error) {
	for {
		f, err := s.in.ReadFrame()
		if err != nil {
			s.heard.bad = unreadable(err)
			return interim, err
		}
		e, news, err := s.take(f)
		if err != nil {
			s.heard.bad = err.Error()
		}
		if news || err != nil {
			return e, err
		}
	}
}

// unreadable says what is wrong with the frames, or "" where they just end.
func unreadable(err error) string {
	var ofStream http2.StreamError
	var ofConnection http2.ConnectionError
	if errors.As(err, &ofStream) || errors.As(err, &ofConnection) || errors.Is(err, http2.ErrFrameTooLarge) {
		return err.Error()
	}
	return ""
}

func (s *streams) take(f http2.Frame) (e event, news bool, err error) {
	switch f := f.(type) {
	case *http2.SettingsFrame:
		return s.settings(f)
	case *http2.MetaHeadersFrame:
		return s.headers(f)
	case *http2.DataFrame:
		return s.data(f)
	case *http2.RSTStreamFrame:
		s.heard.resets[f.StreamID] = f.ErrCode.String()
		return s.end(f.StreamID)
	case *http2.GoAwayFrame:
		return s.goAway(f)
	case *http2.PushPromiseFrame:
		return interim, false, fmt.Errorf("%w: PUSH_PROMISE", errMalformed)
	}
	return interim, false, nil
}

// settings acknowledges those of the gate. They are an event, so that a client can
// have this done before it begins what nothing may come between.
func (s *streams) settings(f *http2.SettingsFrame) (event, bool, error) {
	if f.IsAck() {
		return interim, false, nil
	}
	io.WriteString(s.client, frameHead(0, http2.FrameSettings, uint8(http2.FlagSettingsAck), 0)) // an error comes again with the next frame
	return interim, true, nil
}

func (s *streams) goAway(f *http2.GoAwayFrame) (event, bool, error) {
	first := s.heard.goaway == ""
	if f.ErrCode == http2.ErrCodeNo {
		return interim, false, nil
	}
	s.heard.goaway = f.ErrCode.String()
	return answered, first, nil
}

// headers takes an answer's head, an interim one, or trailers.
func (s *streams) headers(f *http2.MetaHeadersFrame) (event, bool, error) {
	h := headOf(f)
	_, known := s.at[f.StreamID]
	switch {
	case f.StreamID > s.last || s.ended[f.StreamID]:
		return interim, false, fmt.Errorf("%w: an answer on stream %d", errMalformed, f.StreamID)
	case known && f.StreamEnded(): // trailers
	case known || malformed(h) != "" || ofHTTP1(h):
		return interim, false, fmt.Errorf("%w: answer %.80q", errMalformed, h)
	case h.status() < 200:
		s.heard.interim++
		return interim, false, nil
	default:
		s.at[f.StreamID] = len(s.heard.answers)
		s.heard.answers = append(s.heard.answers, answer{head: h, stream: f.StreamID, truncated: true})
	}
	if f.StreamEnded() {
		return s.whole(f.StreamID)
	}
	return interim, false, nil
}

// headOf writes a field block as HTTP/1.1 would.
func headOf(f *http2.MetaHeadersFrame) head {
	text := "HTTP/1.1 " + f.PseudoValue("status")
	for _, field := range f.RegularFields() {
		text += "\r\n" + field.Name + ": " + field.Value
	}
	return head(text)
}

// ofHTTP1 reports whether there is a field that HTTP/2 has no use for (RFC 9113
// section 8.2.2).
func ofHTTP1(h head) bool {
	return slices.ContainsFunc([]string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"},
		func(name string) bool { return len(h.values(name)) > 0 })
}

func (s *streams) data(f *http2.DataFrame) (event, bool, error) {
	at, known := s.at[f.StreamID]
	if !known || s.ended[f.StreamID] {
		return interim, false, fmt.Errorf("%w: DATA on stream %d", errMalformed, f.StreamID)
	}
	s.heard.answers[at].body += string(f.Data())
	if f.StreamEnded() {
		return s.whole(f.StreamID)
	}
	return interim, false, nil
}

// whole ends a stream whose answer must be what it said it would be.
func (s *streams) whole(id uint32) (event, bool, error) {
	a := &s.heard.answers[s.at[id]]
	a.truncated = false
	if length := a.head.value("content-length"); length != "" && length != strconv.Itoa(len(a.body)) {
		return interim, false, fmt.Errorf("%w: %d bytes and content-length %s", errMalformed, len(a.body), length)
	}
	return s.end(id)
}

func (s *streams) end(id uint32) (event, bool, error) {
	news := s.awaited[id]
	delete(s.awaited, id)
	s.ended[id] = true
	return answered, news, nil
}

// gateSays is what a gate writes, for a client whose last stream is 3.
func gateSays(t *testing.T, write func(*http2.Framer)) (outcome, []event) {
	t.Helper()
	var said bytes.Buffer
	write(http2.NewFramer(&said, nil))
	heard := outcome{}
	s := newStreams(&said, clientCase{Frames: []frame{{T: "HEADERS", Stream: 3}}}, &heard)
	s.client = io.Discard
	var events []event
	for {
		e, err := s.next()
		if err != nil {
			return heard, events
		}
		events = append(events, e)
	}
}

// block encodes lines of "name: value".
func block(lines ...string) []byte {
	var text bytes.Buffer
	out := hpack.NewEncoder(&text)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return text.Bytes()
}

func TestStreamsAreToldApart(t *testing.T) {
	got, events := gateSays(t, func(f *http2.Framer) {
		f.WriteSettings()
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block(":status: 100"), EndHeaders: true})
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status: 200", "content-length: 2"), EndHeaders: true})
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block(":status: 404"), EndHeaders: true, EndStream: true})
		f.WriteData(1, false, []byte("o"))
		f.WriteData(1, true, []byte("k"))
		f.WriteRSTStream(3, http2.ErrCodeProtocol)
		f.WriteGoAway(3, http2.ErrCodeNo, nil)
		f.WriteGoAway(3, http2.ErrCodeEnhanceYourCalm, nil)
	})
	assert.Equal(t, outcome{
		answers: []answer{{head: "HTTP/1.1 200\r\ncontent-length: 2", body: "ok", stream: 1}, {head: "HTTP/1.1 404", stream: 3}},
		interim: 1, asked: 3, resets: map[uint32]string{3: "PROTOCOL_ERROR"}, goaway: "ENHANCE_YOUR_CALM",
	}, got)
	assert.Equal(t, []event{interim, answered, answered}, events, "SETTINGS, stream 3, GOAWAY")
	assert.Equal(t, 404, got.status())
	assert.Equal(t, []string{"ENHANCE_YOUR_CALM", "PROTOCOL_ERROR"}, got.codes())
}

func TestAStreamThatIsCutShortIsTruncated(t *testing.T) {
	got, _ := gateSays(t, func(f *http2.Framer) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block(":status: 200"), EndHeaders: true})
		f.WriteRSTStream(3, http2.ErrCodeInternal)
	})
	require.Len(t, got.answers, 1)
	assert.True(t, got.answers[0].truncated)
}

func TestMalformedStreamsAreFoundOut(t *testing.T) {
	ok := http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status: 200"), EndHeaders: true}
	says := func(lines ...string) func(*http2.Framer) {
		return func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(lines...), EndHeaders: true, EndStream: true})
		}
	}
	for want, write := range map[string]func(*http2.Framer){
		"":                                      says(":status: 200"),
		`malformed: answer "HTTP/1.1 \r\na: b"`: says("a: b"),
		"stream error: stream ID 1; PROTOCOL_ERROR; invalid header field name \"A\"": says(":status: 200", "A: b"),
		`malformed: answer "HTTP/1.1 200\r\nupgrade: h2c"`:                           says(":status: 200", "upgrade: h2c"),
		"malformed: 0 bytes and content-length 2":                                    says(":status: 200", "content-length: 2"),
		"malformed: DATA on stream 1":                                                func(f *http2.Framer) { f.WriteData(1, true, nil) },
		"malformed: PUSH_PROMISE": func(f *http2.Framer) {
			f.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: block(":path: /"), EndHeaders: true})
		},
		"malformed: an answer on stream 5": func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: block(":status: 200"), EndHeaders: true})
		},
		`malformed: answer "HTTP/1.1 200"`: func(f *http2.Framer) { f.WriteHeaders(ok); f.WriteHeaders(ok) },
		"http2: frame too large": func(f *http2.Framer) {
			f.WriteHeaders(ok)
			f.WriteData(1, true, make([]byte, 16385))
		},
		"connection error: PROTOCOL_ERROR": func(f *http2.Framer) {
			f.WriteContinuation(1, true, nil)
		},
	} {
		got, _ := gateSays(t, write)
		assert.Equal(t, want, got.bad)
	}
}
