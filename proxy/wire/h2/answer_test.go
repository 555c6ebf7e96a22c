package h2

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// fieldsOfAnswer are fields that a backend sent; the last is not passed on.
func fieldsOfAnswer(names ...string) *wire.Fields {
	var fields wire.Fields
	for _, name := range append(names, "gone") {
		fields.Add(wire.Lookup([]byte(name)), []byte(name), []byte("b"))
	}
	fields.All()[len(names)].Gone = true
	return &fields
}

func TestAnswers(t *testing.T) {
	hello := []byte("hello")
	head := func(s *Stream, status int, length int64) {
		s.Last()
		s.Start(status)
		s.Field("x-a", []byte("b"))
		s.Frame(length)
	}
	for name, row := range map[string]struct {
		method string
		serve  func(t *testing.T, s *Stream)
		want   string
	}{
		"in one":            {"GET", func(t *testing.T, s *Stream) { head(s, 200, 5); assert.NoError(t, s.Finish(hello, nil)) }, "1 200 x-a=b | 1 \"hello\"."},
		"of nothing":        {"GET", func(t *testing.T, s *Stream) { head(s, 404, 0); assert.NoError(t, s.Finish(nil, nil)) }, "1 404 x-a=b."},
		"of unknown length": {"GET", func(t *testing.T, s *Stream) { head(s, 200, wire.Unknown); assert.NoError(t, s.Finish(hello, nil)) }, "1 200 x-a=b | 1 \"hello\"."},
		"in parts": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, 10)
			assert.NoError(t, s.Write(nil))
			assert.NoError(t, s.Write(hello))
			assert.NoError(t, s.Finish(hello, nil))
		}, "1 200 x-a=b | 1 \"hello\" | 1 \"hello\"."},
		"that ends behind its last part": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, wire.Unknown)
			assert.NoError(t, s.Write(hello))
			assert.NoError(t, s.Finish(nil, fieldsOfAnswer()))
		}, "1 200 x-a=b | 1 \"hello\" | 1 \"\"."},
		"with trailers": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, wire.Unknown)
			assert.NoError(t, s.Finish(hello, fieldsOfAnswer("x-sum")))
		}, "1 200 x-a=b | 1 \"hello\" | 1 x-sum=b."},
		"with nothing but trailers": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, wire.Unknown)
			assert.NoError(t, s.Finish(nil, fieldsOfAnswer("x-sum")))
		}, "1 200 x-a=b | 1 x-sum=b."},
		"behind others": {"GET", func(t *testing.T, s *Stream) {
			assert.NoError(t, s.Inform(103, fieldsOfAnswer("link")))
			assert.NoError(t, s.Inform(100, nil))
			head(s, 200, 0)
			s.Pass(&wire.Field{ID: wire.SetCookie, Name: []byte("set-cookie"), Value: []byte("c=d")})
			assert.NoError(t, s.Finish(nil, nil))
		}, "1 103 link=b | 1 100 | 1 200 x-a=b set-cookie=c=d."},
		"to HEAD": {"HEAD", func(t *testing.T, s *Stream) {
			head(s, 200, 5)
			assert.NoError(t, s.Finish(nil, fieldsOfAnswer("x-sum")))
		}, "1 200 x-a=b."},
		"to HEAD, in parts": {"HEAD", func(t *testing.T, s *Stream) {
			head(s, 200, 5)
			s.Write(hello)
			assert.NoError(t, s.Finish(hello, nil))
		}, "1 200 x-a=b | 1 \"\"."},
		"without a body": {"GET", func(t *testing.T, s *Stream) { head(s, 204, 0); assert.NoError(t, s.Finish(hello, nil)) }, "1 204 x-a=b."},
		"not modified":   {"GET", func(t *testing.T, s *Stream) { head(s, 304, 1234); assert.NoError(t, s.Finish(nil, nil)) }, "1 304 x-a=b."},
		"too short": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, 6)
			assert.Equal(t, wire.ErrLength, s.Finish(hello, nil))
			s.Abort(reason.BackendMalformed)
		}, "1 reset INTERNAL_ERROR"},
		"too short, begun": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, 6)
			assert.NoError(t, s.Write(hello))
			assert.Equal(t, wire.ErrLength, s.Finish(nil, nil))
			s.Abort(reason.BackendMalformed)
		}, "1 200 x-a=b | 1 \"hello\" | 1 reset INTERNAL_ERROR"},
		"too long": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, 4)
			assert.Equal(t, wire.ErrLength, s.Write(hello))
			s.Abort(reason.BackendMalformed)
		}, "1 reset INTERNAL_ERROR"},
		"that ends twice": {"GET", func(t *testing.T, s *Stream) {
			head(s, 200, 0)
			assert.NoError(t, s.Finish(nil, nil))
			assert.Error(t, s.Finish(nil, nil))
			assert.Error(t, s.Write(nil))
			assert.Error(t, s.Inform(103, nil))
			s.Abort(reason.BackendError)
		}, "1 200 x-a=b."},
		"behind its end": {"GET", func(t *testing.T, s *Stream) {
			s.Abort(reason.BackendError)
			s.Abort(reason.BackendError)
			head(s, 200, 0)
			assert.Error(t, s.Write(hello[:0]))
		}, "1 reset INTERNAL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, patient(), func(s *Stream) {
				s.ReadHead(time.Now())
				row.serve(t, s)
			}).greet()
			c.say(raw(frameHeaders, 5, 1, plain(row.method, "/"))).closes(row.want)
		})
	}
}

func TestContentLengthIsSaidWhereItMaySaySomething(t *testing.T) {
	for _, row := range []struct {
		method string
		status int
		length int64
		want   string
	}{
		{"GET", 200, 5, "5"}, {"GET", 200, 0, "0"}, {"GET", 200, wire.Unknown, ""}, {"HEAD", 200, 12345678901, "12345678901"},
		{"GET", 204, 0, ""}, {"GET", 304, 7, "7"}, {"HEAD", 200, wire.Unknown, ""},
	} {
		c := dial(t, patient(), func(s *Stream) {
			s.ReadHead(time.Now())
			s.Start(row.status)
			s.Frame(row.length)
			s.Finish(letterBytes(max(0, row.length)%100), nil)
		}).greet()
		c.say(raw(frameHeaders, 5, 1, plain(row.method, "/")))
		f, err := c.frames.ReadFrame()
		require.NoError(t, err)
		got := ""
		for _, field := range f.(*http2.MetaHeadersFrame).Fields {
			if field.Name == "content-length" {
				got = field.Value
			}
		}
		assert.Equal(t, row.want, got, row)
	}
}

func letterBytes(n int64) []byte { return []byte(letters(int(n))) }

func TestTheClientIsToldWhyAnAnswerEnds(t *testing.T) {
	for r, want := range map[reason.Reason]string{
		reason.ClientClosed: "CANCEL", reason.ClientNotAllowed: "CANCEL", reason.ClientTooSlow: "ENHANCE_YOUR_CALM", reason.Malformed: "PROTOCOL_ERROR",
		reason.BackendClosed: "INTERNAL_ERROR", reason.BackendTimeout: "INTERNAL_ERROR", reason.BackendMalformed: "INTERNAL_ERROR",
	} {
		dial(t, patient(), func(s *Stream) { s.Abort(r) }).greet().say(get(1)).closes("1 reset " + want)
	}
}

func TestNothingIsSaidOnAStreamThatWasReset(t *testing.T) {
	answered, hold := make(chan error, 10), make(chan struct{})
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		s.Start(200)
		s.Frame(wire.Unknown)
		answered <- s.Write([]byte("hello"))
		<-hold
		answered <- s.Write([]byte("more"))
		answered <- s.Finish(nil, nil)
		answered <- s.Inform(103, nil)
		s.Abort(reason.BackendClosed)
	}).greet()
	c.say(get(1)).hears("1 200 | 1 \"hello\"")
	c.say(reset(1)).fence()
	close(hold)
	c.closes("")
	assert.NoError(t, <-answered)
	for range 3 {
		assert.Equal(t, errGone, <-answered)
	}
}

// A stream that was reset counts as open until its work has ended: who resets fast gains
// nothing.
func TestAResetStreamCountsUntilItsWorkHasEnded(t *testing.T) {
	config, hold := patient(), make(chan struct{})
	config.Streams = 1
	c := dial(t, config, func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1)).fence()
	c.say(reset(1), get(3)).hears("3 reset REFUSED_STREAM")
	close(hold)
	c.conn.waitUntil(t, func() bool { return c.conn.working == 0 })
	c.say(get(5)).closes("5 200.")
}

// waitUntil waits until something is so, under the lock.
func (c *Conn) waitUntil(t *testing.T, so func() bool) {
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return so()
	}, 10*time.Second, time.Millisecond)
}

// A page that is left resets what it has sent: the event is delivered.
func TestAnEventThatCameWholeIsDeliveredThoughItWasReset(t *testing.T) {
	got := make(chan string, 2)
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		body, err := readBody(s)
		got <- string(body)
		refuse(s, err)
	}).greet()
	c.say(post(1), last(1, "hello"), reset(1)).fence()
	assert.Equal(t, "hello", <-got)

	c.say(post(3), part(3, "hel"), reset(3)).closes("")
	assert.Empty(t, <-got, "half an event")
}

func TestALargeHeadIsCutIntoFrames(t *testing.T) {
	value := strings.Repeat("x", 40<<10)
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		s.Start(200)
		s.Field("x-a", []byte(value))
		s.Frame(0)
		s.Finish(nil, nil)
	}).greet()
	c.frames.ReadMetaHeaders = nil
	c.say(get(1), get(3))
	for range 2 {
		var kinds []http2.FrameType
		size, end := 0, false
		for !end {
			f, err := c.frames.ReadFrame()
			require.NoError(t, err)
			kinds = append(kinds, f.Header().Type)
			size += int(f.Header().Length)
			end = f.Header().Flags.Has(http2.FlagHeadersEndHeaders)
			assert.Equal(t, len(kinds) == 1, f.Header().Flags.Has(http2.FlagHeadersEndStream))
		}
		assert.Equal(t, []http2.FrameType{1, 9, 9}, kinds)
		assert.Greater(t, size, 40<<10)
	}
}

func TestReadingIsStopped(t *testing.T) {
	reading := make(chan *Stream)
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		s.Hold(wire.MaxHold)
		reading <- s
		_, err := s.Read(make([]byte, 1))
		assert.Equal(t, errStopped, err)
		_, err = s.Read(make([]byte, 1))
		assert.Equal(t, errStopped, err)
		s.Start(200)
		s.Frame(0)
		assert.NoError(t, s.Finish(nil, nil))
	}).greet()
	c.say(post(1, "content-length", "70000"))
	(<-reading).Stop()
	c.hears("1 200. | 1 reset NO_ERROR")
	c.Conn.(*net.TCPConn).CloseWrite()
	assert.Empty(t, c.rest())
}
