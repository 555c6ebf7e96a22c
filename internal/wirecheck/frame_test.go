package wirecheck

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// frame is one frame that a client sends, however wrong, or what stands in the
// place of one: a pause, or frames that are repeated.
type frame struct {
	T       string      `json:"t"`
	Type    uint8       `json:"type"` // where T has no name for it
	Stream  uint32      `json:"s"`
	Flags   uint8       `json:"flags"`
	Fields  [][2]string `json:"h"`  // as literals, without a table
	Block   string      `json:"hb"` // the bytes of a field block, behind them
	Payload string      `json:"d"`  // escaped, as Block is

	N      int     `json:"n"` // how often Frames are repeated
	Step   uint32  `json:"step"`
	Frames []frame `json:"frames"`
	MS     int64   `json:"ms"` // of a pause
}

// What stands in the place of a frame.
const (
	framePause   = "PAUSE"
	frameRepeat  = "REPEAT"
	frameUnnamed = "X" // but this is one, of a type without a name
)

const (
	flagEndStream  = uint8(http2.FlagHeadersEndStream)
	flagEndHeaders = uint8(http2.FlagHeadersEndHeaders)
)

// mostBlock is how much of a field block fits into one frame here; the rest goes
// into CONTINUATION.
const mostBlock = 16000

// kind returns the number of the frame's type.
func (f frame) kind() (http2.FrameType, error) {
	if f.T == frameUnnamed {
		return http2.FrameType(f.Type), nil
	}
	for kind := http2.FrameData; kind <= http2.FrameContinuation; kind++ {
		if kind.String() == f.T {
			return kind, nil
		}
	}
	return 0, fmt.Errorf("a frame that nobody knows: %s", f.T)
}

// sealed is a frame whose payload is written out.
type sealed struct {
	kind    http2.FrameType
	flags   uint8
	stream  uint32
	payload string
}

func (f frame) seal() (sealed, error) {
	kind, err := f.kind()
	if err != nil {
		return sealed{}, err
	}
	var payload strings.Builder
	for _, field := range f.Fields {
		for i, text := range field {
			if text, err = expand(text); err != nil {
				return sealed{}, err
			}
			if i == 0 {
				payload.WriteByte(0) // a literal that is not indexed, with a new name
			}
			payload.WriteString(hpackLength(len(text)) + text)
		}
	}
	for _, escaped := range []string{f.Block, f.Payload} {
		text, err := expand(escaped)
		if err != nil {
			return sealed{}, err
		}
		payload.WriteString(text)
	}
	return sealed{kind, f.Flags, f.Stream, payload.String()}, leftover(payload.String())
}

// hpackLength writes the length of a string that is not Huffman-coded (RFC 7541
// section 5.2).
func hpackLength(n int) string {
	if n < 127 {
		return string([]byte{byte(n)})
	}
	return string(binary.AppendUvarint([]byte{127}, uint64(n-127)))
}

// on returns the frame's bytes, on a stream further on than its own. A field
// block that is too large for one frame takes several.
func (s sealed) on(further uint32) string {
	stream := s.stream
	if stream != 0 {
		stream += further
	}
	isBlock := s.kind == http2.FrameHeaders || s.kind == http2.FrameContinuation
	if !isBlock || len(s.payload) <= mostBlock {
		return frameHead(len(s.payload), s.kind, s.flags, stream) + s.payload
	}
	first, rest := s, s
	first.flags &^= flagEndHeaders
	first.payload = s.payload[:mostBlock]
	rest.kind = http2.FrameContinuation
	rest.flags &= flagEndHeaders
	rest.payload = s.payload[mostBlock:]
	return first.on(further) + rest.on(further)
}

func frameHead(length int, kind http2.FrameType, flags uint8, stream uint32) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(length)<<8|uint32(kind))
	return string(binary.BigEndian.AppendUint32(append(head, flags), stream))
}

// bytes returns what is sent for a frame that is no pause.
func (f frame) bytes() (string, error) {
	if f.T != frameRepeat {
		s, err := f.seal()
		return s.on(0), err
	}
	var each []sealed
	for _, one := range f.Frames {
		s, err := one.seal()
		if err != nil {
			return "", err
		}
		each = append(each, s)
	}
	var text strings.Builder
	for i := range f.N {
		for _, s := range each {
			text.WriteString(s.on(uint32(i) * f.Step))
		}
	}
	return text.String(), nil
}

// asks returns the last stream that the frame opens, or 0.
func (f frame) asks() uint32 {
	switch {
	case f.T == "HEADERS":
		return f.Stream
	case f.T == frameRepeat && f.N > 0:
		return lastAsked(f.Frames) + uint32(f.N-1)*f.Step
	}
	return 0
}

func lastAsked(all []frame) (last uint32) {
	for _, f := range all {
		last = max(last, f.asks())
	}
	return last
}

// usableTarget is what a client asks for to see whether its connection is still of use.
const usableTarget = "/track?still=usable"

// opening is what a client says before it listens, as nothing may come before it.
func (c clientCase) opening() (string, error) {
	if c.Protocol != http2Protocol {
		return "", nil
	}
	settings, err := frame{T: "SETTINGS", Payload: c.Settings}.bytes()
	return http2.ClientPreface + settings, err
}

// http2Steps waits for the gate to open the connection as well, since nothing may
// come between the frames of some cases, and sends these.
func (c clientCase) http2Steps() ([]step, error) {
	await := step{count: 1, wait: c.timeout(), interim: true}
	todo, err := frameSteps(c.Frames)
	if err != nil || c.Deaf {
		return todo, err
	}
	todo = append([]step{await}, todo...)
	if !c.Expect.StillUsable {
		return todo, nil
	}
	ask, err := get(lastAsked(c.Frames)+2, usableTarget).bytes()
	return append(todo, await, step{text: ask, count: 1}), err
}

// get asks for target on a stream.
func get(stream uint32, target string) frame {
	return frame{T: "HEADERS", Stream: stream, Flags: flagEndStream | flagEndHeaders, Fields: [][2]string{
		{":method", "GET"}, {":scheme", "https"}, {":authority", "{HOST}"}, {":path", target},
	}}
}

// frameSteps turns frames into what a client does.
func frameSteps(all []frame) ([]step, error) {
	var todo []step
	var text strings.Builder
	for _, f := range all {
		if f.T == framePause {
			todo = append(todo, step{text: text.String(), wait: time.Duration(f.MS) * time.Millisecond, count: 1})
			text.Reset()
			continue
		}
		more, err := f.bytes()
		if err != nil {
			return nil, err
		}
		text.WriteString(more)
	}
	return append(todo, step{text: text.String(), count: 1}), nil
}

func TestFramesAreWrittenOut(t *testing.T) {
	for want, f := range map[string]frame{
		"\x00\x00\x08\x06\x01\x00\x00\x00\x0012345678":                                  {T: "PING", Flags: 1, Payload: "12345678"},
		"\x00\x00\x01\x0b\x00\x00\x00\x00\x03\xff":                                      {T: "X", Type: 11, Stream: 3, Payload: `\xff`},
		"\x00\x00\x07\x01\x05\x00\x00\x00\x01\x00\x01a\x02bc\x80":                       {T: "HEADERS", Stream: 1, Flags: 5, Fields: [][2]string{{"a", "bc"}}, Block: `\x80`},
		"\x00\x00\x00\x09\x00\x00\x00\x00\x01" + "\x00\x00\x00\x09\x00\x00\x00\x00\x01": {T: "REPEAT", N: 2, Frames: []frame{{T: "CONTINUATION", Stream: 1}}},
		"\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x03": {T: "REPEAT", N: 2, Step: 2, Frames: []frame{{T: "DATA", Stream: 1}}},
	} {
		got, err := f.bytes()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestLargeBlocksAreContinued(t *testing.T) {
	text, err := frame{T: "HEADERS", Stream: 1, Flags: 5, Block: "{REPEAT:x:40000}"}.bytes()
	require.NoError(t, err)
	in := http2.NewFramer(nil, strings.NewReader(text))
	for _, want := range []http2.FrameHeader{
		{Type: http2.FrameHeaders, Flags: http2.FlagHeadersEndStream, Length: 16000, StreamID: 1},
		{Type: http2.FrameContinuation, Length: 16000, StreamID: 1},
		{Type: http2.FrameContinuation, Flags: http2.FlagContinuationEndHeaders, Length: 8000, StreamID: 1},
	} {
		f, err := in.ReadFrame()
		require.NoError(t, err)
		assert.Equal(t, want.String(), f.Header().String())
	}
}

func TestFramesThatNobodyKnowsAreMistakes(t *testing.T) {
	for _, f := range []frame{{T: "HEADER"}, {T: "X", Payload: `\q`}, {T: "PING", Payload: "{NEW:x}"}, {T: "REPEAT", Frames: []frame{{T: "ping"}}}} {
		_, err := f.bytes()
		assert.Error(t, err, f)
	}
}

func TestTheLastStreamIsAsked(t *testing.T) {
	get := frame{T: "HEADERS", Stream: 5}
	assert.Equal(t, uint32(0), lastAsked([]frame{{T: "PING"}, {T: "DATA", Stream: 9}}))
	assert.Equal(t, uint32(5), lastAsked([]frame{get, {T: "HEADERS", Stream: 3}}))
	assert.Equal(t, uint32(11), lastAsked([]frame{{T: "REPEAT", N: 4, Step: 2, Frames: []frame{get}}}))
}

func TestPausesPartTheFrames(t *testing.T) {
	todo, err := frameSteps([]frame{{T: "PING"}, {T: "PAUSE", MS: 30}, {T: "PING"}})
	require.NoError(t, err)
	ping := "\x00\x00\x00\x06\x00\x00\x00\x00\x00"
	assert.Equal(t, []step{{text: ping, wait: 30 * time.Millisecond, count: 1}, {text: ping, count: 1}}, todo)
}

func TestFramesOfTheCorpusAreItsBytes(t *testing.T) {
	compared := 0
	for _, c := range loadCorpus(t).of(http2Protocol) {
		if _, other := deviations()[c.ID]; other || strings.HasSuffix(c.Raw, "{SEE_FRAMES}") {
			continue
		}
		want, err := expand(c.Raw)
		require.NoError(t, err, c.ID)
		todo, err := c.steps()
		require.NoError(t, err, c.ID)
		got, err := c.opening()
		require.NoError(t, err, c.ID)
		for _, s := range todo {
			got += s.text
		}
		assert.Equal(t, want, got, c.ID)
		compared++
	}
	assert.Greater(t, compared, 100)
}
