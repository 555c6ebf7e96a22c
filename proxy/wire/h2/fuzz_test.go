package h2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// spoken is a connection on which a client has said all that it ever says, in pieces of
// a size. What it is sent is looked at and forgotten.
type spoken struct {
	net.Conn // nil: what is not overridden is not used
	text     []byte
	size     int
	mu       sync.Mutex
	heard    bytes.Buffer
}

func (s *spoken) Read(p []byte) (int, error) {
	if len(s.text) == 0 {
		return 0, io.EOF
	}
	runtime.Gosched() // to those who answer
	n := copy(p[:min(len(p), s.size)], s.text)
	s.text = s.text[n:]
	return n, nil
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.Write(p)
}

func (s *spoken) SetReadDeadline(time.Time) error  { return nil }
func (s *spoken) SetWriteDeadline(time.Time) error { return nil }

// corpus are the conversations of the wire cases, as bytes behind TLS.
func corpus(f *testing.F) (seeds [][]byte) {
	text, err := os.ReadFile("../../../internal/wirecheck/testdata/corpus.json")
	require.NoError(f, err)
	var all struct {
		Cases []struct{ Protocol, Raw string }
	}
	require.NoError(f, json.Unmarshal(text, &all))
	for _, c := range all.Cases {
		said, err := strconv.Unquote(`"` + c.Raw + `"`)
		if c.Protocol == "h2" && err == nil && !strings.Contains(said, "{") {
			seeds = append(seeds, []byte(said))
		}
	}
	require.Greater(f, len(seeds), 50)
	return seeds
}

// FuzzConn says anything to a connection. Nothing may panic, hang or be left behind, what
// is kept is bounded by what was allowed, and a request that a handler sees must be one
// that HTTP/1.1 could say without doubt.
func FuzzConn(f *testing.F) {
	for _, seed := range corpus(f) {
		f.Add(seed, uint16(1<<15), uint8(0))
	}
	for i, seed := range conversations() {
		f.Add([]byte(preface+seed), uint16(7*i+1), uint8(i))
	}
	f.Fuzz(survives)
}

// FuzzTalk is FuzzConn with frames that are sound by themselves, so that it gets further.
func FuzzTalk(f *testing.F) {
	for i := range 16 {
		var moves []byte
		for at := range byte(60) {
			moves = append(moves, byte(i)*at+at/3, at/7, at*byte(i))
		}
		f.Add(moves, uint16(1000*i+9), uint8(i))
	}
	f.Add([]byte{0, 0, 0, 1, 1, 0, 5, 1, 255, 5, 1, 255, 6, 1, 3, 9, 1, 1}, uint16(1<<15), uint8(5))
	f.Fuzz(func(t *testing.T, moves []byte, size uint16, script uint8) {
		text := preface + settings()
		for ; len(moves) >= 3 && len(text) < 1<<20; moves = moves[3:] {
			text += move(moves[0], uint32(moves[1]%16)*2+1, int(moves[2]))
		}
		survives(t, []byte(text), size, script)
	})
}

// sample is what frames carry.
var sample = letters(60 << 8)

// move is a frame of a kind for a stream. What n means depends on the kind.
func move(kind uint8, id uint32, n int) string {
	fields := plain("POST", "/", "cookie", "a=b", "cookie", sample[:n])
	frames := [...]string{
		get(id), post(id), post(id, "content-length", strconv.Itoa(300*n)), post(id, "expect", "100-continue"), connect(id),
		part(id, sample[:60*n]), last(id, sample[:60*n]), raw(frameData, flagPadded, id, string([]byte{byte(n)})+sample[:2*n]),
		trailers(id, "x-sum", sample[:n]), update(id, uint32(n*n*n)), update(0, uint32(n*n*n)), settings(4, uint32(n*n)), reset(id),
		raw(frameHeaders, uint8(n), id, fields), raw(frameHeaders, 0, id, fields[:n%len(fields)]), raw(frameContinuation, 4, id, fields[n%len(fields):]),
		raw(frameHeaders, 4, id, "\x83\x87\x84\x41\x01a\x40\x03x-y\x01"+string([]byte{byte(n)})), raw(frameHeaders, 5, id, "\x82\x87\x84\x41\x01a"+string([]byte{byte(n) | 0x80})),
		ping(pingText), raw(framePing, flagAck, 0, leavePing), raw(frameGoAway, 0, 0, number(0)+number(0)), raw(framePriority, 0, id, number(uint32(n))+"\x10"),
		raw(uint8(n), 0, id, "abcd"), raw(frameHeaders, 4, id, plain("HEAD", "/"+sample[:n])), post(id, "x_a", "b"),
	}
	return frames[int(kind)%len(frames)]
}

// survives has a connection hear text in pieces of a size.
func survives(t *testing.T, text []byte, size uint16, script uint8) {
	before := runtime.NumGoroutine()
	config := patient()
	config.Limits = wire.Limits{Head: 2 << 10, Target: 200, Fields: 20, Body: 100 << 10}
	config.Streams, config.Total, config.Write = 5, 40, 5*time.Millisecond
	nc := &spoken{text: text, size: int(size)%(1<<15) + 1}
	a := &actor{t: t, script: int(script)}
	a.hands = hands{conn: new(Conn), serve: a.serve}
	a.conn.Init(nc, config, a)
	err := a.conn.Serve(time.Minute)
	require.NotNil(t, err)
	a.conn.Wait()
	a.work.Wait()
	a.ended()
	followsTheRules(t, nc.heard.Bytes())
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		require.True(t, time.Now().Before(end), "a goroutine is left")
	}
}

// ended says that nothing is left of what was counted.
func (a *actor) ended() {
	c := a.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	a.bounded()
	require.Empty(a.t, c.streams)
	require.Zero(a.t, c.open)
	require.Zero(a.t, c.working)
	require.False(a.t, c.flushing || c.asked)
	require.Zero(a.t, c.partial)
	require.Nil(a.t, c.in)
}

// conversations are what the other tests say, and a little more.
func conversations() []string {
	chain := settings()
	for id := uint32(1); id < 60; id += 2 {
		chain += post(id, "content-length", "5") + part(id, "he") + last(id, "llo") + update(0, 5)
	}
	return []string{
		settings() + get(1) + get(3) + ping(pingText), chain,
		settings(4, 0) + get(1) + update(1, 1) + update(1, 70000) + settings(4, 5) + post(3) + last(3, letters(100)),
		settings() + post(1) + strings.Repeat(part(1, letters(16000)), 5) + trailers(1, "x-sum", "1"),
		settings() + post(1, "content-length", "70000") + strings.Repeat(part(1, letters(14000)), 4) + last(1, letters(14000)),
		settings() + post(1, "expect", "100-continue") + raw(frameData, 9, 1, "\x02hello\x00\x00"),
		settings() + connect(1) + part(1, "hello") + last(1, "x") + connect(3) + reset(3),
		settings() + post(1) + reset(1) + get(3) + reset(3) + post(5) + part(5, "") + raw(frameGoAway, 0, 0, number(0)+number(0)) + get(7),
		settings() + inTwo(1, 1, plain("GET", "/", "x-a", letters(30000), "cookie", "a=b", "cookie", "c=d")),
		settings() + raw(frameHeaders, 5, 1, "\x82\x87\x84\x41\x01a\x40\x03x-y\x03abc") + raw(frameHeaders, 5, 3, "\x3f\xe1\x1f\x82\x87\x84\xbf\xbe"),
		settings() + strings.Repeat(ping(pingText), 80) + get(1), settings() + post(1) + strings.Repeat(part(1, ""), 120),
	}
}

// actor serves streams by a script.
type actor struct {
	hands
	t      *testing.T
	script int
}

// bounded says that all that is counted is within its bounds. Conn.mu is held.
func (a *actor) bounded() {
	c, t := a.conn, a.t
	require.LessOrEqual(t, c.window, maxWindow)
	require.GreaterOrEqual(t, c.window, int64(0))
	require.True(t, c.initial >= 0 && c.initial <= maxWindow)
	require.True(t, c.open >= 0 && c.open <= c.config.Streams && c.open <= c.working, "%d of %d open", c.open, c.working)
	if c.out != nil {
		require.Less(t, len(c.out.b), outControl+outFull+c.config.Streams*(maxFrame+headSize))
	}
	for _, s := range c.streams {
		require.True(t, s.window <= maxWindow && s.window >= -maxWindow)
		require.LessOrEqual(t, s.credit, int64(streamWindow))
		require.True(t, s.r <= s.w && s.w <= len(s.more))
		require.LessOrEqual(t, len(s.held), wire.MaxHold)
		require.LessOrEqual(t, s.w-s.r, wire.MaxHold)
		require.True(t, s.fault != nil || s.credit >= 0)
	}
}

func (a *actor) serve(s *Stream) {
	a.conn.mu.Lock()
	a.bounded()
	a.conn.mu.Unlock()
	r, err := s.ReadHead(time.Now())
	if err != nil {
		refuse(s, err)
		return
	}
	a.safe(r)
	switch script := (a.script + int(s.id)/2) % 8; {
	case r.Upgrade:
		a.tunnel(s, r)
	case script == 0:
		answering(100)(s)
	case script == 1:
		answering(30000)(s)
	case script == 2:
		s.Abort(reason.BackendClosed)
	case script == 3:
		s.Inform(103, nil)
		s.Start(200)
		s.Frame(wire.Unknown)
		s.Write([]byte(letters(20000)))
		s.Finish(nil, &r.Fields)
	case script == 4:
		s.Hold(wire.MaxHold)
		s.Stop()
		s.Read(make([]byte, 10))
		answering(5)(s)
	default:
		a.reads(s, r)
	}
}

// reads echoes, after a body was read to its end: that of a request that said its length
// has it.
func (a *actor) reads(s *Stream, r *wire.Request) {
	body, err := readBody(s)
	if err != nil {
		refuse(s, err)
		return
	}
	if r.Length != wire.Unknown {
		require.Len(a.t, body, int(r.Length))
	}
	require.Equal(a.t, int64(len(body)), s.Taken())
	for _, f := range s.Trailers().All() {
		a.safeField(f)
	}
	s.Start(200)
	s.Frame(int64(len(body)))
	s.Finish(body, s.Trailers())
}

func (a *actor) tunnel(s *Stream, r *wire.Request) {
	tunnel, err := s.Switch(agreement(r))
	if err != nil {
		s.Abort(reason.ClientClosed)
		return
	}
	io.Copy(tunnel, tunnel)
	tunnel.Close()
}

var (
	safeMethod = regexp.MustCompile(`^[A-Za-z0-9-]{1,16}$`)
	safeTarget = regexp.MustCompile(`^(/[!-"$-~]*|\*)$`)
	safeHost   = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	safeName   = regexp.MustCompile("^[a-z0-9!#$%&'*+.^`|~-]+$")
	safeValue  = regexp.MustCompile(`^([^\x00-\x20\x7f]([^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?$`)
)

// safe says that a request can be said in HTTP/1.1, and means one thing there.
func (a *actor) safe(r *wire.Request) {
	require.Regexp(a.t, safeMethod, string(r.Method))
	require.NotEqual(a.t, "CONNECT", string(r.Method))
	require.Regexp(a.t, safeTarget, string(r.Target))
	require.LessOrEqual(a.t, len(r.Target), 200)
	require.Regexp(a.t, safeHost, string(r.Authority))
	require.LessOrEqual(a.t, r.Length, int64(100<<10))
	require.LessOrEqual(a.t, r.Fields.Len(), 21)
	seen := map[string]int{}
	for _, f := range r.Fields.All() {
		a.safeField(f)
		if !f.Gone {
			seen[string(f.Name)]++
		}
	}
	for _, name := range []string{"host", "content-length", "cookie", "sec-websocket-key"} {
		require.True(a.t, seen[name] <= 1 || name == "sec-websocket-key" && !r.Upgrade, name)
	}
	for _, name := range []string{"connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"} {
		require.Zero(a.t, seen[name], name)
	}
}

func (a *actor) safeField(f wire.Field) {
	require.Regexp(a.t, safeName, string(f.Name))
	require.Regexp(a.t, safeValue, latin(f.Value))
	require.True(a.t, f.Gone || utf8.Valid(f.Value))
}

// latin writes each byte as a letter, so that an expression sees bytes.
func latin(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// followsTheRules reads what a client was sent, frame by frame: nothing comes behind the
// end of a stream or of the connection, and no frame is larger than any client must take.
func followsTheRules(t *testing.T, heard []byte) {
	ended, headed, block := map[uint32]bool{}, map[uint32]bool{}, false
	for first := true; len(heard) > 0; first = false {
		require.GreaterOrEqual(t, len(heard), headSize)
		f := parseFrame(heard)
		require.LessOrEqual(t, f.length, maxFrame)
		require.LessOrEqual(t, headSize+f.length, len(heard))
		heard = heard[headSize+f.length:]
		require.Equal(t, first, f.kind == frameSettings && f.flags == 0)
		require.Equal(t, block, f.kind == frameContinuation, "a field block that is not whole")
		what := fmt.Sprintf("%+v", f)
		switch f.kind {
		case frameContinuation:
			block = !f.has(flagEndHeaders)
		case frameHeaders:
			require.False(t, ended[f.stream], what)
			headed[f.stream], ended[f.stream], block = true, f.has(flagEndStream), !f.has(flagEndHeaders)
		case frameData:
			require.True(t, headed[f.stream] && !ended[f.stream], what)
			ended[f.stream] = f.has(flagEndStream)
		case frameReset:
			ended[f.stream] = true
		}
	}
}
