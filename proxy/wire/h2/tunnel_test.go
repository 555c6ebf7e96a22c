package h2

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/proxy/wire"
)

// connect asks for a websocket (RFC 8441).
func connect(stream uint32, fields ...string) string {
	return raw(frameHeaders, flagEndHeaders, stream, plain("CONNECT", "/ws", append([]string{":protocol", "websocket"}, fields...)...))
}

func TestConnectAsksForWebsocketsAlone(t *testing.T) {
	const pseudo = "1 405. | 1 reset NO_ERROR"
	for name, row := range map[string]struct {
		says, hears string
		off         bool
	}{
		"a tunnel to anywhere":       {raw(frameHeaders, 4, 1, fieldBlock(":method", "CONNECT", ":authority", "127.0.0.1:22")), pseudo, false},
		"the same, ended":            {raw(frameHeaders, 5, 1, fieldBlock(":method", "CONNECT", ":authority", "127.0.0.1:22")), "1 405.", false},
		"the same with a path":       {raw(frameHeaders, 4, 1, plain("CONNECT", "/")), pseudo, false},
		"another protocol":           {raw(frameHeaders, 4, 1, plain("CONNECT", "/", ":protocol", "connect-udp")), malformedAnswer, false},
		"a protocol of nothing":      {raw(frameHeaders, 4, 1, plain("CONNECT", "/", ":protocol", "")), malformedAnswer, false},
		"a protocol twice":           {connect(1, ":protocol", "websocket"), malformedAnswer, false},
		"one that has ended":         {raw(frameHeaders, 5, 1, plain("CONNECT", "/", ":protocol", "websocket")), malformedAnswer, false},
		"another method":             {raw(frameHeaders, 4, 1, plain("GET", "/", ":protocol", "websocket")), malformedAnswer, false},
		"one without a path":         {raw(frameHeaders, 4, 1, fieldBlock(":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority", "a")), malformedAnswer, false},
		"one without a scheme":       {raw(frameHeaders, 4, 1, fieldBlock(":method", "CONNECT", ":protocol", "websocket", ":path", "/", ":authority", "a")), malformedAnswer, false},
		"one without an authority":   {raw(frameHeaders, 4, 1, fieldBlock(":method", "CONNECT", ":protocol", "websocket", ":path", "/", ":scheme", "https")), malformedAnswer, false},
		"one that was not offered":   {connect(1), malformedAnswer, true},
		"an upgrade of HTTP/1.1":     {get(1, "upgrade", "websocket"), malformedAnswer, false},
		"a path that is none":        {raw(frameHeaders, 4, 1, plain("CONNECT", "ws", ":protocol", "websocket")), malformedAnswer, false},
		"a body of a certain length": {connect(1, "content-length", "5"), malformedAnswer, false},
	} {
		t.Run(name, func(t *testing.T) {
			config := patient()
			config.Connect = !row.off
			dial(t, config, echo).greet().say(row.says).closes(row.hears)
		})
	}
}

// agree accepts a websocket.
func agree(t *testing.T, s *Stream) wire.Tunnel {
	r, err := s.ReadHead(time.Now())
	require.NoError(t, err)
	assert.Equal(t, "GET /ws true", fmt.Sprintf("%s %s %v", r.Method, r.Target, r.Upgrade))
	body, whole, err := s.Hold(wire.MaxHold)
	assert.Empty(t, body)
	assert.True(t, whole)
	assert.NoError(t, err)
	tunnel, err := s.Switch(agreement(r))
	require.NoError(t, err)
	return tunnel
}

// agreement is what a backend says that has understood the key.
func agreement(r *wire.Request) *wire.Fields {
	var fields wire.Fields
	fields.Add(wire.Other, []byte("sec-websocket-accept"), []byte(accepted(keyOf(r))))
	fields.Add(wire.ContentLength, []byte("content-length"), []byte("0"))
	fields.Add(wire.Other, []byte("sec-websocket-protocol"), []byte("chat"))
	fields.Add(wire.Upgrade, []byte("upgrade"), []byte("websocket"))
	fields.All()[3].Gone = true
	return &fields
}

func keyOf(r *wire.Request) (key string) {
	for _, f := range r.Fields.All() {
		if string(f.Name) == "sec-websocket-key" && !f.Gone {
			key = string(f.Value)
		}
	}
	return key
}

func TestAWebsocketGoesBothWays(t *testing.T) {
	c := dial(t, patient(), func(s *Stream) {
		tunnel := agree(t, s)
		io.Copy(tunnel, tunnel)
		tunnel.Close()
		_, err := tunnel.Write([]byte("x"))
		assert.Error(t, err)
		assert.Error(t, tunnel.Close(), "a second time")
	}).greet()
	c.say(connect(1, "sec-websocket-key", "mine", "expect", "100-continue"))
	c.hears("1 200 sec-websocket-protocol=chat")
	c.say(part(1, "early")).hears("1 \"early\"")
	for i := range 100 { // far more than a request may have
		c.say(update(1, 16000), update(0, 16000), part(1, letters(15000+i)))
		for got := 0; got < 15000+i; {
			f, err := c.frames.ReadFrame()
			require.NoError(t, err)
			if f.Header().Type == 0 {
				got += int(f.Header().Length)
			}
		}
	}
	c.say(last(1, "bye")).closes("1 \"bye\" | 1 \"\".")
}

func TestAWebsocketThatIsNotAgreedTo(t *testing.T) {
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		var fields wire.Fields
		fields.Add(wire.Other, []byte("sec-websocket-accept"), []byte("x"))
		_, err := s.Switch(&fields)
		refuse(s, err)
	}).greet()
	c.say(connect(1)).closes("1 502. | 1 reset NO_ERROR")
}

func TestAWebsocketEnds(t *testing.T) {
	for name, row := range map[string]struct {
		says  string
		hears string
		end   func(wire.Tunnel)
	}{
		"by its gate":     {"", "1 200 sec-websocket-protocol=chat | 1 \"\". | 1 reset NO_ERROR", func(t wire.Tunnel) { t.Close() }},
		"by its deadline": {"", "1 200 sec-websocket-protocol=chat | 1 \"\". | 1 reset NO_ERROR", func(t wire.Tunnel) { t.SetDeadline(time.Unix(1, 0)) }},
		"by its client":   {reset(1), "1 200 sec-websocket-protocol=chat", func(wire.Tunnel) {}},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, patient(), func(s *Stream) {
				tunnel := agree(t, s)
				var ending sync.WaitGroup
				ending.Go(func() { row.end(tunnel) })
				_, err := tunnel.Read(make([]byte, 10))
				assert.Error(t, err)
				ending.Wait()
				tunnel.Close()
			}).greet()
			c.say(connect(1))
			if row.says != "" {
				c.hears(row.hears).say(row.says).closes("")
				return
			}
			c.hears(row.hears).closes("")
		})
	}
}

// HEADERS behind the head of a websocket are an error (RFC 9113 section 8.5), and nothing
// of them is a trailer.
func TestAWebsocketHasNoTrailers(t *testing.T) {
	hold := make(chan struct{})
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		<-hold
		assert.Zero(t, s.Trailers().Len())
	}).greet()
	c.say(connect(1), trailers(1, "x-sum", "1")).hears("1 reset PROTOCOL_ERROR")
	close(hold)
	c.closes("")
}

// What a backend says instead of a websocket is an answer like any other.
func TestARefusedWebsocketGetsTheWholeAnswer(t *testing.T) {
	c := dial(t, patient(), answering(100000)).greet()
	c.say(connect(1))
	c.takes(65535)
	c.say(update(0, 50000), update(1, 50000))
	assert.Equal(t, 100000-65535, c.takes(100000-65535))
}

// Messages of websockets are short, and there are many of them.
func TestMessagesOfAWebsocketCostNothing(t *testing.T) {
	c := dial(t, patient(), func(s *Stream) {
		tunnel := agree(t, s)
		tunnel.SetDeadline(time.Now().Add(time.Minute))
		io.Copy(io.Discard, tunnel)
		tunnel.Close()
	}).greet()
	c.say(connect(1)).hears("1 200 sec-websocket-protocol=chat")
	for range 20 {
		c.say(strings.Repeat(part(1, "ping"), abuseLimit/10))
	}
	c.say(last(1, ""))
	assert.Equal(t, `1 "".`, c.next())
}
