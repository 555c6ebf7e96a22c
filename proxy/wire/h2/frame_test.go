package h2

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// talk is what a client says and hears by turns, behind the greeting. The last line
// is all that comes until the connection ends, after the client has said its last.
type talk []string

// holds has the conversation with an echo.
func (talk talk) holds(t *testing.T) { talk.with(dial(t, patient(), echo).greet()) }

// with has the conversation. A line of nothing in between says that nothing comes.
func (talk talk) with(c *client) {
	c.t.Helper()
	for i, line := range talk {
		switch {
		case i%2 == 0:
			c.say(line)
		case i == len(talk)-1:
			c.closes(line)
		case line == "":
			c.fence()
		default:
			c.hears(line)
		}
	}
}

// fence waits until what was said was seen to, and says that it is not answered.
func (c *client) fence() { c.say(ping(pingText)).hears("pong " + pingText) }

const (
	pingText = "12345678"
	priority = "\x00\x00\x00\x00\x10" // depends on nothing
)

func TestFramesAreReadAsTheRFCHasIt(t *testing.T) {
	whole := get(1)
	for name, talk := range map[string]talk{
		"nothing":                         {"", ""},
		"a request":                       {whole, "1 200."},
		"a body":                          {post(1) + part(1, "hel") + last(1, "lo"), "1 200 | 1 \"hello\"."},
		"a body that ends empty":          {post(1) + part(1, "hello") + last(1, ""), "1 200 | 1 \"hello\"."},
		"a body of nothing":               {post(1) + last(1, ""), "1 200."},
		"padding":                         {post(1) + raw(frameData, flagEndStream|flagPadded, 1, "\x03hello\x00\x00\x00"), "1 200 | 1 \"hello\"."},
		"padding of nothing":              {post(1) + raw(frameData, flagEndStream|flagPadded, 1, "\x00hello"), "1 200 | 1 \"hello\"."},
		"nothing but padding":             {post(1) + raw(frameData, flagPadded, 1, "\x02\x00\x00") + last(1, "hello"), "1 200 | 1 \"hello\"."},
		"more padding than DATA":          {post(1) + raw(frameData, flagPadded, 1, "\x06hello"), "bye 1 PROTOCOL_ERROR"},
		"padding without its length":      {post(1) + raw(frameData, flagPadded, 1, ""), "bye 1 PROTOCOL_ERROR"},
		"HEADERS with padding":            {raw(frameHeaders, 0xd, 1, "\x02"+plain("GET", "/")+"\x00\x00"), "1 200."},
		"HEADERS with a priority":         {raw(frameHeaders, 0x25, 1, priority+plain("GET", "/")), "1 200."},
		"HEADERS with both":               {raw(frameHeaders, 0x2d, 1, "\x02"+priority+plain("GET", "/")+"\x00\x00"), "1 200."},
		"more padding than HEADERS":       {raw(frameHeaders, 0xd, 1, "\x09"+plain("GET", "/")[:8]), "bye 0 PROTOCOL_ERROR"},
		"HEADERS shorter than a priority": {raw(frameHeaders, 0x25, 1, priority[:4]), "bye 0 FRAME_SIZE_ERROR"},
		"HEADERS that depend on themselves": {raw(frameHeaders, 0x25, 1, "\x00\x00\x00\x01\x10"+plain("GET", "/")) + get(3),
			"1 reset PROTOCOL_ERROR | 3 200."},
		"HEADERS without a stream":       {raw(frameHeaders, 5, 0, plain("GET", "/")), "bye 0 PROTOCOL_ERROR"},
		"HEADERS on an even stream":      {raw(frameHeaders, 5, 2, plain("GET", "/")), "bye 0 PROTOCOL_ERROR"},
		"a stream with the reserved bit": {whole[:5] + "\x80" + whole[6:], "1 200."},
		"flags that mean nothing":        {raw(frameHeaders, 5|0xd2, 1, plain("GET", "/")), "1 200."},

		"PRIORITY":                        {raw(framePriority, 0, 1, priority) + whole, "1 200."},
		"PRIORITY on a closed stream":     {whole, "1 200.", raw(framePriority, 0, 1, priority), ""},
		"PRIORITY without a stream":       {raw(framePriority, 0, 0, priority), "bye 0 PROTOCOL_ERROR"},
		"PRIORITY of a wrong length":      {post(1) + raw(framePriority, 0, 1, priority[:4]), "1 reset FRAME_SIZE_ERROR"},
		"the same before its stream":      {raw(framePriority, 0, 1, priority[:4]), "bye 0 FRAME_SIZE_ERROR"},
		"PRIORITY that depends on itself": {post(3) + raw(framePriority, 0, 3, "\x00\x00\x00\x03\x10"), "3 reset PROTOCOL_ERROR"},

		"RST_STREAM":                   {post(1) + reset(1) + get(3), "3 200."},
		"RST_STREAM behind the answer": {whole, "1 200.", reset(1) + get(3), "3 200."},
		"RST_STREAM without a stream":  {reset(0), "bye 0 PROTOCOL_ERROR"},
		"RST_STREAM before its stream": {reset(1), "bye 0 PROTOCOL_ERROR"},
		"RST_STREAM on an even stream": {post(3) + reset(2), "bye 3 PROTOCOL_ERROR"},
		"RST_STREAM of a wrong length": {post(1) + raw(frameReset, 0, 1, "\x00\x00\x00"), "bye 1 FRAME_SIZE_ERROR"},

		"PING":                   {ping(pingText), "pong 12345678"},
		"an answer to no PING":   {raw(framePing, flagAck, 0, pingText), ""},
		"PING on a stream":       {raw(framePing, 0, 1, pingText), "bye 0 PROTOCOL_ERROR"},
		"PING of a wrong length": {raw(framePing, 0, 0, "1234567"), "bye 0 FRAME_SIZE_ERROR"},

		"GOAWAY on a stream":       {raw(frameGoAway, 0, 1, number(0)+number(0)), "bye 0 PROTOCOL_ERROR"},
		"GOAWAY of a wrong length": {raw(frameGoAway, 0, 0, number(0)), "bye 0 FRAME_SIZE_ERROR"},

		"WINDOW_UPDATE":                        {update(0, 1) + post(1) + update(1, 1) + last(1, "x"), "1 200 | 1 \"x\"."},
		"WINDOW_UPDATE on a closed stream":     {whole, "1 200.", update(1, 1) + update(1, 0), ""},
		"WINDOW_UPDATE before its stream":      {update(1, 1), "bye 0 PROTOCOL_ERROR"},
		"WINDOW_UPDATE on an even stream":      {post(3) + update(2, 1), "bye 3 PROTOCOL_ERROR"},
		"WINDOW_UPDATE of a wrong length":      {raw(frameWindowUpdate, 0, 0, "\x00\x00\x01"), "bye 0 FRAME_SIZE_ERROR"},
		"WINDOW_UPDATE of nothing":             {update(0, 0), "bye 0 PROTOCOL_ERROR"},
		"WINDOW_UPDATE of nothing on a stream": {post(1) + update(1, 0) + get(3), "1 reset PROTOCOL_ERROR | 3 200."},
		"WINDOW_UPDATE with the reserved bit":  {update(0, 1<<31), "bye 0 PROTOCOL_ERROR"},

		"PUSH_PROMISE":               {post(1) + raw(framePush, flagEndHeaders, 1, number(2)), "bye 1 PROTOCOL_ERROR"},
		"unknown types":              {raw(0xa, 0xff, 0, "abc") + raw(0xff, 0, 9, "") + raw(0x10, 0, 0, number(1)+"u=1") + whole, "1 200."},
		"a frame too big":            {raw(0xa, 0, 0, letters(maxFrame+1)), "bye 0 FRAME_SIZE_ERROR"},
		"the biggest":                {raw(0xa, 0, 0, letters(maxFrame)) + post(1) + last(1, letters(maxFrame)), "1 200 | 1 data 16384."},
		"a field block that is none": {raw(frameHeaders, 5, 1, "\x80"), "bye 1 COMPRESSION_ERROR"},
	} {
		t.Run(name, talk.holds)
	}
}

func TestFieldBlocksAreNotInterrupted(t *testing.T) {
	fields := plain("GET", "/")
	begun := raw(frameHeaders, flagEndStream, 1, fields[:9])
	rest := raw(frameContinuation, flagEndHeaders, 1, fields[9:])
	for name, talk := range map[string]talk{
		"in two frames":            {begun + rest, "1 200."},
		"in many frames":           {begun + raw(frameContinuation, 0, 1, fields[9:12]) + raw(frameContinuation, 0, 1, "") + raw(frameContinuation, flagEndHeaders, 1, fields[12:]), "1 200."},
		"with nothing in the head": {raw(frameHeaders, flagEndStream, 1, "") + raw(frameContinuation, flagEndHeaders, 1, fields), "1 200."},
		"trailers in two frames": {post(1) + part(1, "x") + raw(frameHeaders, flagEndStream, 1, "") + raw(frameContinuation, flagEndHeaders, 1, fieldBlock("x-sum", "1")),
			"1 200 | 1 \"x\" | 1 x-sum=1."},
		"nobody's, which the table must see": {
			post(1) + raw(framePriority, 0, 1, "") + // which is reset
				raw(frameHeaders, flagEndHeaders|flagEndStream, 1, "\x40\x03x-y\x03abc") + raw(frameHeaders, 5, 3, plain("GET", "/")+"\xbe"),
			"1 reset FRAME_SIZE_ERROR | 3 200."},
		"nobody's, in which is a mistake":  {post(1) + raw(framePriority, 0, 1, "") + raw(frameHeaders, 5, 1, "\x80"), "1 reset FRAME_SIZE_ERROR | bye 1 COMPRESSION_ERROR"},
		"another frame within":             {begun + ping(pingText), "bye 0 PROTOCOL_ERROR"},
		"an unknown frame within":          {begun + raw(0xa, 0, 0, ""), "bye 0 PROTOCOL_ERROR"},
		"DATA within":                      {begun + part(1, ""), "bye 0 PROTOCOL_ERROR"},
		"HEADERS within":                   {begun + get(3), "bye 0 PROTOCOL_ERROR"},
		"CONTINUATION of another stream":   {begun + raw(frameContinuation, flagEndHeaders, 3, fields[9:]), "bye 0 PROTOCOL_ERROR"},
		"CONTINUATION without a stream":    {begun + raw(frameContinuation, flagEndHeaders, 0, fields[9:]), "bye 0 PROTOCOL_ERROR"},
		"CONTINUATION of nothing":          {rest, "bye 0 PROTOCOL_ERROR"},
		"CONTINUATION behind the end":      {begun + rest, "1 200.", rest, "bye 1 PROTOCOL_ERROR"},
		"more than a head may have":        {begun + strings.Repeat(raw(frameContinuation, 0, 1, letters(maxFrame)), 2), "bye 0 ENHANCE_YOUR_CALM"},
		"a request in the rest of a block": {begun + raw(frameContinuation, flagEndHeaders, 1, fields[9:]+"\x00\x05abc"), "bye 1 COMPRESSION_ERROR"},
	} {
		t.Run(name, talk.holds)
	}
}

func TestSettings(t *testing.T) {
	for name, talk := range map[string]talk{
		"none":                       {settings(), "settings ack"},
		"all":                        {settings(1, 0, 2, 0, 3, 0, 4, 1<<31-1, 5, 1<<24-1, 6, 0, 8, 1), "settings ack"},
		"unknown ones":               {settings(7, 1, 9, 1<<32-1, 0x99, 5), "settings ack"},
		"one of them often":          {settings(4, 1, 4, 0, 4, 65535) + get(1), "settings ack | 1 200."},
		"an answer":                  {raw(frameSettings, flagAck, 0, ""), ""},
		"an answer that says more":   {raw(frameSettings, flagAck, 0, settings(2, 0)[9:]), "bye 0 FRAME_SIZE_ERROR"},
		"cut short":                  {raw(frameSettings, 0, 0, "\x00\x03\x00\x00\x00"), "bye 0 FRAME_SIZE_ERROR"},
		"on a stream":                {raw(frameSettings, 0, 1, ""), "bye 0 PROTOCOL_ERROR"},
		"a push that is no boolean":  {settings(2, 2), "bye 0 PROTOCOL_ERROR"},
		"a connect that is none":     {settings(8, 2), "bye 0 PROTOCOL_ERROR"},
		"a window over the bound":    {settings(4, 1<<31), "bye 0 FLOW_CONTROL_ERROR"},
		"frames below the least":     {settings(5, 1<<14-1), "bye 0 PROTOCOL_ERROR"},
		"frames above the most":      {settings(5, 1<<24), "bye 0 PROTOCOL_ERROR"},
		"a mistake behind good ones": {settings(3, 1, 2, 7), "bye 0 PROTOCOL_ERROR"},
	} {
		t.Run(name, talk.holds)
	}
}

func TestOurSettingsSayWhatTheConfigurationDoes(t *testing.T) {
	for connect, want := range map[bool]string{
		true:  "\x00\x03\x00\x00\x00\x07\x00\x04\x00\x01\x00\x00\x00\x06\x00\x00\x12\x34\x00\x08\x00\x00\x00\x01",
		false: "\x00\x03\x00\x00\x00\x07\x00\x04\x00\x01\x00\x00\x00\x06\x00\x00\x12\x34",
	} {
		config := patient()
		config.Streams, config.Limits.Head, config.Connect = 7, 0x1234, connect
		assert.Equal(t, raw(frameSettings, 0, 0, want), string(appendSettings(nil, config)))
	}
}

func TestAConnectionBeginsWithThePreface(t *testing.T) {
	for text, want := range map[string]string{
		preface + settings() + get(1):                   "settings ack | 1 200.",
		preface + get(1):                                "bye 0 PROTOCOL_ERROR",
		preface + ping(pingText):                        "bye 0 PROTOCOL_ERROR",
		preface + raw(frameSettings, flagAck, 0, ""):    "bye 0 PROTOCOL_ERROR",
		preface + settings(2, 2):                        "bye 0 PROTOCOL_ERROR",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":             "bye 0 PROTOCOL_ERROR",
		"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + settings(): "bye 0 PROTOCOL_ERROR",
		"PRJ":                        "bye 0 PROTOCOL_ERROR",
		"PRI * HTTP/2.0\r\n\r\nSM\r": "",
		"":                           "",
	} {
		c := dial(t, patient(), echo).say(text)
		c.hears("settings | 0 +983041").closes(want)
	}
}

// The first byte comes into the connection, the rest into a buffer, DATA in parts:
// whatever comes with which read, the same must be understood.
func TestFramesSplitAtEveryByte(t *testing.T) {
	fields := plain("GET", "/")
	text := preface + settings(4, 100) + post(1, "content-length", "11") + part(1, "hello ") + ping(pingText) +
		raw(frameData, flagEndStream|flagPadded, 1, "\x03world\x00\x00\x00") +
		raw(frameHeaders, flagEndStream, 3, fields[:9]) + raw(frameContinuation, flagEndHeaders, 3, fields[9:]) +
		post(5) + raw(frameData, flagPadded, 5, "\x01\x00") + part(5, "hi") + trailers(5, "x-sum", "1") + update(0, 1)
	for end := 1; end < len(text); end++ {
		c := dial(t, patient(), echo)
		c.Conn.(*net.TCPConn).SetNoDelay(true)
		c.say(text[:end])
		c.hears("settings | 0 +983041")
		c.say(text[end:])
		c.Conn.(*net.TCPConn).CloseWrite()
		got := map[string]string{}
		for line := c.next(); line != ""; line = c.next() {
			id, said, _ := strings.Cut(line, " ")
			got[id] += said + "|"
		}
		want := map[string]string{"settings": "ack|", "pong": "12345678|", "1": "200|\"hello world\".|", "3": "200.|", "5": "200|\"hi\"|x-sum=1.|"}
		if !assert.Equal(t, want, got, "split at %d", end) {
			return
		}
	}
}

func TestRequestsComeByteByByte(t *testing.T) {
	c := dial(t, patient(), echo)
	for _, b := range []byte(preface + settings() + post(1) + part(1, "hello") + last(1, "!")) {
		c.say(string([]byte{b}))
	}
	c.hears("settings | 0 +983041").closes("settings ack | 1 200 | 1 \"hello!\".")
}

func TestErrorsSayWhatWasWrong(t *testing.T) {
	c := dial(t, patient(), echo).greet()
	c.say(raw(framePing, 0, 1, pingText)).closes("bye 0 PROTOCOL_ERROR")
	assert.Equal(t, &Error{ProtocolError, "PING on a stream"}, c.end())
	assert.EqualError(t, c.end(), "HTTP/2: PING on a stream")
}
