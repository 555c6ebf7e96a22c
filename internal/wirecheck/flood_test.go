package wirecheck

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// flood is a case that is cheap for the client and dear for the gate, if it lets
// itself be drawn into it.
type flood struct {
	clientCase
	answer string // of the backend, where it matters
	reach  int    // requests of one connection that the backend may see
}

// How often floods repeat what they do: far more than any client needs.
const (
	often    = 5000
	mostSeen = 100 // requests of a flood
)

// calm is what has to come of a flood: its client is told to calm down, and is cut off.
func calm() expectation {
	return expectation{
		Status: []int{0, 200, 400, 408, 431}, H2Error: []string{http2.ErrCodeEnhanceYourCalm.String()},
		ConnectionError: true, MustClose: true,
	}
}

func newFlood(id string, frames ...frame) flood {
	return flood{reach: mostSeen, clientCase: clientCase{
		ID: id, Class: "h2-flood", Protocol: http2Protocol, Listener: "public", Attack: true, Load: true,
		TimeoutMS: 20000, Frames: frames, Expect: calm(),
	}}
}

// floodsOf are the floods of the corpus.
func floodsOf(all corpus) (some []flood) {
	for _, c := range all.of(http2Protocol) {
		if c.Load {
			some = append(some, flood{clientCase: c, reach: mostSeen})
		}
	}
	return some
}

// quickFloods are those that end by what they send. Every one is told to calm down.
func quickFloods() []flood {
	return []flood{
		// Resets by the client (CVE-2023-44487): of whole sets of streams, of requests that
		// go on, of one that is long over.
		newFlood("reset-in-sets", again(often/100, 200, append(times(100, 2, post(1)), times(100, 2, reset(1))...)...)),
		newFlood("reset-unfinished", again(often, 2, post(1), reset(1))),
		newFlood("reset-what-is-over", get(1, "/track"), again(often, 0, reset(1))),

		// Resets that the client provokes (CVE-2025-8671).
		newFlood("provoke-by-window", again(often, 2, post(1), update(1, `\x7f\xff\xff\xff`))),
		newFlood("provoke-by-late-data", again(often, 2, get(1, "/track"), frame{T: "DATA", Stream: 1, Payload: "late"})),
		newFlood("provoke-by-dependency", post(1), again(often, 0, frame{T: "PRIORITY", Stream: 1, Payload: `\x00\x00\x00\x01\x10`})),
		newFlood("provoke-by-priority", post(1), again(often, 0, frame{T: "PRIORITY", Stream: 1, Payload: `\x00\x00`})),
		newFlood("provoke-by-length", again(often, 2, with(post(1), "content-length", "5"), frame{T: "DATA", Stream: 1, Flags: 1, Payload: "x"})),
		newFlood("provoke-by-trailers", again(often, 2, post(1), frame{T: "HEADERS", Stream: 1, Flags: 5, Fields: [][2]string{{":path", "/"}}})),
		moreStreams(),
		passedOver(),

		// Frames that mean nothing, or want an answer each (CVE-2019-9511 to 9518).
		newFlood("ping", again(often, 0, frame{T: "PING", Payload: "12345678"})),
		newFlood("settings", again(often, 0, frame{T: "SETTINGS"})),
		newFlood("settings-churn", append(times(90, 2, post(1)), again(often, 0, window(`\x00\x00\x00\x00`), window(`\x7f\xff\x00\x00`)))...),
		newFlood("priority", again(often, 0, frame{T: "PRIORITY", Stream: 1, Payload: `\x00\x00\x00\x00\x10`})),
		newFlood("frames-without-a-name", again(often, 0, frame{T: frameUnnamed, Type: 0xbe, Payload: "x"})),
		newFlood("data-without-data", post(1), again(often, 0, frame{T: "DATA", Stream: 1})),
		newFlood("data-of-padding", post(1), again(often, 0, frame{T: "DATA", Stream: 1, Flags: 8, Payload: `\x00`})),
		newFlood("data-by-the-byte", post(1), again(often, 0, frame{T: "DATA", Stream: 1, Payload: "x"})),
		newFlood("window-by-the-byte", post(1), again(often, 0, update(0, `\x00\x00\x00\x01`), update(1, `\x00\x00\x00\x01`))),

		// Field blocks without an end (CVE-2024-27316).
		newFlood("continuation", open(1), again(often, 0, continuation(`\x00\x01a\x01b`))),
		newFlood("continuation-large", open(1), again(20, 0, continuation("{REPEAT:"+`\\x00\\x01a\\x01b`+":3000}"))),
	}
}

// moreStreams opens more streams than it may. Those that it has must end in their own
// time, so it is not cut off.
func moreStreams() flood {
	f := newFlood("more-streams-than-allowed", again(often, 2, post(1)))
	f.Expect.MustClose = false
	return f
}

// dearFloods are few requests that want much.
func dearFloods() []flood { return []flood{bomb(), fullBomb(), tableChurn()} }

// passedOver has its streams passed over and goes on with the first of them when there
// are too many to remember: a client may not have read yet that nobody listens.
func passedOver() flood {
	return newFlood("frames-of-streams-passed-over",
		again(80, 2, post(1), reset(1)),
		again(60, 2, post(161)),
		frame{T: "HEADERS", Stream: 161, Flags: 5, Fields: [][2]string{{"x-a", "b"}}},
		again(often, 0, reset(1)))
}

// slowReads and slowSends wait: what they hold must be bounded, in size and in time.
func slowReads() []flood { return []flood{slowRead(), deafRead()} }

func slowSends() []flood { return []flood{slowHead(), slowBodies()} }

// bomb fills a table and refers to it, thousands of times in each field block, with
// its windows shut (CVE-2026-47774). The crumbs of a cookie are as dear as other fields.
func bomb() flood {
	entry := `\x40\x06cookie\x7f\xb9\x16{REPEAT:c:3000}`
	f := newFlood("bomb", blocks(1, requestBlock+entry), again(40, 2, blocks(3, requestBlock+`{REPEAT:\\xbe:8000}`)))
	f.Settings = shutWindow
	return f
}

// fullBomb takes all that a request may have, on as many streams as there may be.
func fullBomb() flood {
	entry := `\x40\x03x-a\x7f\x9d\x01{REPEAT:c:284}`
	f := newFlood("bomb-within-limits", append([]frame{blocks(1, requestBlock+entry)},
		times(99, 2, blocks(3, requestBlock+`{REPEAT:\\xbe:95}`))...)...)
	f.Settings = shutWindow
	f.Expect = unread()
	return f
}

// slowRead asks for large answers and takes nothing of them.
func slowRead() flood {
	f := newFlood("read-nothing", times(100, 2, get(1, "/track"))...)
	f.Settings, f.answer = shutWindow, largeAnswer()
	f.Expect = unread()
	return f
}

// deafRead opens its windows and does not read: it is TCP that holds the gate up. Its
// PINGs show it when the gate has gone.
func deafRead() flood {
	frames := append([]frame{update(0, `\x7f\xff\x00\x00`)}, times(100, 2, get(1, "/track"))...)
	for range 60 {
		frames = append(frames, frame{T: framePause, MS: 250}, frame{T: "PING", Payload: "12345678"})
	}
	f := newFlood("read-no-byte", frames...)
	f.Settings, f.answer, f.Deaf = `\x00\x04\x7f\xff\xff\xff`, largeAnswer(), true
	f.Expect = expectation{Status: append(overrun(), 0), MustClose: true}
	return f
}

// slowHead never ends a field block.
func slowHead() flood { return newFlood("head-without-an-end", open(1)) }

// slowBodies never sends what it promised.
func slowBodies() flood {
	f := newFlood("bodies-that-do-not-come", times(100, 2, with(post(1), "content-length", "5"))...)
	f.Expect = expectation{Status: []int{408}, MustNotReach: true}
	f.reach = 0
	return f
}

// tableChurn changes every entry of the table with every request, and its size as
// well. That is dear and allowed, for as many streams at a time as there may be.
func tableChurn() flood {
	entries := strings.Repeat(`\x40\x03x-a\x7f\x91\x02{REPEAT:v:400}`, 20)
	request := blocks(1, `\x20\x3f\xe1\x1f\x82\x87\x01\x09{HOST}\x04\x06/other`+entries)
	var frames []frame
	for _, first := range times(12, 50, request) {
		frames = append(frames, again(25, 2, first), frame{T: framePause, MS: 50})
	}
	f := newFlood("table-churn", frames...)
	f.Expect = expectation{Status: []int{0, 404}, MustNotReach: true}
	f.reach = 0
	return f
}

// unread is what has to come of streams that are answered and not read: they end. An
// answer of the gate's own is cancelled.
func unread() expectation {
	return expectation{Status: overrun(), H2Error: []string{http2.ErrCodeEnhanceYourCalm.String(), http2.ErrCodeCancel.String()}}
}

// overrun is what comes of many requests at a time where each is a good one: it may be
// the backend that does not keep up.
func overrun() []int { return []int{200, 502, 503, 504} }

// shutWindow is SETTINGS_INITIAL_WINDOW_SIZE of 0.
const shutWindow = `\x00\x04\x00\x00\x00\x00`

// requestBlock is GET /track, by the static table.
const requestBlock = `\x82\x87\x01\x09{HOST}\x04\x06/track`

func largeAnswer() string {
	const size = 128 << 10
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
}

// The frames that floods are made of.

func post(stream uint32) frame {
	f := get(stream, "/track")
	f.Flags = flagEndHeaders
	f.Fields[0][1] = "POST"
	return f
}

// open begins a request whose field block goes on.
func open(stream uint32) frame {
	f := get(stream, "/track")
	f.Flags = flagEndStream
	return f
}

func with(f frame, name, value string) frame {
	f.Fields = append(f.Fields, [2]string{name, value})
	return f
}

// blocks sends a request as the bytes of its field block.
func blocks(stream uint32, block string) frame {
	return frame{T: "HEADERS", Stream: stream, Flags: flagEndStream | flagEndHeaders, Block: block}
}

func continuation(block string) frame { return frame{T: "CONTINUATION", Stream: 1, Block: block} }

func reset(stream uint32) frame {
	return frame{T: "RST_STREAM", Stream: stream, Payload: `\x00\x00\x00\x08`}
}

func update(stream uint32, by string) frame {
	return frame{T: "WINDOW_UPDATE", Stream: stream, Payload: by}
}

func window(size string) frame { return frame{T: "SETTINGS", Payload: `\x00\x04` + size} }

// again repeats frames, each time on streams further on by step.
func again(n int, step uint32, frames ...frame) frame {
	return frame{T: frameRepeat, N: n, Step: step, Frames: frames}
}

// times is the same, written out.
func times(n int, step uint32, f frame) []frame {
	all := make([]frame, n)
	for i := range all {
		all[i] = f
		all[i].Stream += uint32(i) * step
	}
	return all
}

func TestFloodsAreWhatTheySay(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range slices.Concat(floodsOf(loadCorpus(t)), quickFloods(), dearFloods(), slowReads(), slowSends()) {
		todo, err := f.steps()
		require.NoError(t, err, f.ID)
		assert.True(t, slices.ContainsFunc(todo, func(s step) bool { return s.text != "" }), f.ID)
		assert.False(t, seen[f.ID], f.ID)
		seen[f.ID] = true
	}
	text, err := reset(1).bytes()
	require.NoError(t, err)
	assert.Equal(t, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", text)
	assert.Equal(t, uint32(2*often-1), quickFloods()[0].Frames[0].asks())
}
