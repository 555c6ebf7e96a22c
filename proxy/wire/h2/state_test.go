package h2

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWhatAFrameMeansDependsOnItsStream(t *testing.T) {
	fields, end := post(1), last(1, "x")
	ours := fields + raw(framePriority, 0, 1, "") // which resets it
	for name, talk := range map[string]talk{
		"DATA before its stream":       {part(1, "x"), "bye 0 PROTOCOL_ERROR"},
		"DATA without a stream":        {part(0, "x"), "bye 0 PROTOCOL_ERROR"},
		"DATA on an even stream":       {get(3), "3 200.", part(2, "x"), "bye 3 PROTOCOL_ERROR"},
		"DATA behind the end":          {get(1) + part(1, "x"), "1 reset STREAM_CLOSED"},
		"DATA behind a body":           {fields + end + part(1, "x"), "1 reset STREAM_CLOSED"},
		"DATA behind trailers":         {fields + part(1, "x") + trailers(1) + part(1, "y"), "1 reset STREAM_CLOSED"},
		"HEADERS behind the end":       {get(1) + get(1), "1 reset STREAM_CLOSED"},
		"the rest behind the end":      {get(1) + update(1, 1) + raw(framePriority, 0, 1, priority), "1 200."},
		"trailers that do not end":     {fields + part(1, "x") + post(1), "1 400. | 1 reset PROTOCOL_ERROR"},
		"a head in the place of them":  {fields + part(1, "x") + get(1), "1 400. | 1 reset PROTOCOL_ERROR"},
		"trailers twice":               {fields + trailers(1) + trailers(1), "1 reset STREAM_CLOSED"},
		"DATA behind the answer":       {get(1), "1 200.", part(1, "x") + part(1, "x"), "1 reset STREAM_CLOSED"},
		"HEADERS behind the answer":    {get(1), "1 200.", get(1), "bye 1 STREAM_CLOSED"},
		"trailers behind the answer":   {get(1), "1 200.", trailers(1), "bye 1 STREAM_CLOSED"},
		"anything behind our reset":    {ours, "1 reset FRAME_SIZE_ERROR", part(1, "x") + update(1, 1) + update(1, 0) + reset(1) + raw(framePriority, 0, 1, priority), ""},
		"a body behind our reset":      {ours, "1 reset FRAME_SIZE_ERROR", part(1, "x") + end + get(3), "3 200."},
		"trailers behind our reset":    {ours, "1 reset FRAME_SIZE_ERROR", trailers(1, "x-sum", "1") + get(3), "3 200."},
		"DATA behind the client's":     {fields + reset(1) + part(1, "x"), "1 reset STREAM_CLOSED"},
		"HEADERS behind the client's":  {fields + reset(1) + trailers(1), "bye 1 STREAM_CLOSED"},
		"the rest behind the client's": {fields + reset(1) + reset(1) + update(1, 1) + raw(framePriority, 0, 1, priority) + get(3), "3 200."},
		"a number that goes back":      {get(5), "5 200.", get(3), "bye 5 PROTOCOL_ERROR"},
		"DATA on one passed over":      {get(5), "5 200.", part(3, "x"), "3 reset STREAM_CLOSED"},
		"the rest on one passed over":  {get(5), "5 200.", update(3, 1) + reset(3) + raw(framePriority, 0, 3, priority), ""},
		"the highest number":           {get(1<<31 - 1), "2147483647 200.", get(1), "bye 2147483647 PROTOCOL_ERROR"},
	} {
		t.Run(name, talk.holds)
	}
}

// More streams were closed than are remembered.
func TestFramesOfStreamsLongGone(t *testing.T) {
	for late, want := range map[string]string{part(1, "x"): "1 reset STREAM_CLOSED", get(1): "bye 401 PROTOCOL_ERROR", reset(1) + update(1, 1): ""} {
		c := dial(t, patient(), echo).greet()
		for i := range 201 {
			c.say(get(uint32(2*i + 1))).hears(fmt.Sprintf("%d 200.", 2*i+1))
		}
		c.say(late).closes(want)
	}
}

func TestMoreStreamsThanMayBeOpenAreRefused(t *testing.T) {
	config, hold := patient(), make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	config.Streams = 2
	c := dial(t, config, func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1), post(3), raw(frameHeaders, 5, 5, "\x40\x03x-y\x03abc"+plain("GET", "/")), get(7), ping(pingText))
	c.hears("5 reset REFUSED_STREAM | 7 reset REFUSED_STREAM | pong 12345678")
	release()
	c.hears("1 200.")
	c.say(raw(frameHeaders, 5, 9, plain("GET", "/")+"\xbe")).hears("9 200.") // the table has seen x-y
	c.say(last(3, "x")).closes("3 200 | 3 \"x\".")
}

// What was refused may end the body only after the answer: it is no mistake.
func TestABodyMayGoOnBehindItsEarlyAnswer(t *testing.T) {
	config := patient()
	config.Limits.Body, config.Grace, config.Body = 10, 100*time.Millisecond, 100*time.Millisecond
	big := strings.Repeat("x", 40<<10)
	for name, row := range map[string]struct{ says, hears string }{
		"a length over the limit":     {post(1, "content-length", "11"), "1 413. | 1 reset NO_ERROR"},
		"a body over the limit":       {post(1) + part(1, "hello world"), "1 413. | 1 reset NO_ERROR"},
		"a head over the limit":       {post(1, strings.Split(strings.Repeat("x-a,b,", 101), ",")[:202]...), "1 431. | 1 reset NO_ERROR"},
		"a target over the limit":     {raw(frameHeaders, 4, 1, plain("POST", "/"+big[:9000])), "1 414. | 1 reset NO_ERROR"},
		"an expectation":              {post(1, "expect", "x"), "1 417. | 1 reset NO_ERROR"},
		"a body that does not come":   {post(1, "content-length", "5") + part(1, "hell"), "1 408. | 1 reset NO_ERROR"},
		"a body that never began":     {post(1), "1 408. | 1 reset NO_ERROR"},
		"an end that was there":       {raw(frameHeaders, 5, 1, plain("GET", "/"+big[:9000])), "1 414."},
		"an end behind what is wrong": {post(1, "expect", "x") + last(1, "hello"), "1 417."},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, config, echo).greet()
			c.patience = 5 * time.Second
			c.say(row.says).hears(row.hears)
			if strings.HasSuffix(row.hears, "NO_ERROR") {
				c.say(part(1, "x"), last(1, "x"), trailers(1, "x-sum", "1"), get(3)).closes("3 200.")
			}
		})
	}
}

func TestTrailersBehindABodyOverTheLimitAreNoMistake(t *testing.T) {
	config, hold := patient(), make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	config.Limits.Body = 10
	c := dial(t, config, func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(post(1), part(1, "hello world"), trailers(1, "x-sum", "1"), ping(pingText)).hears("pong 12345678")
	release()
	c.closes("1 413.")
}

// A stream that was refused may have a whole window of frames on its way, and there may be
// a hundred of them.
func TestWhatComesLateForManyRefusedStreamsIsNoMistake(t *testing.T) {
	c := dial(t, patient(), answering(0)).greet()
	c.say(repeated(100, func(id uint32) string { return post(id, "content-length", "70000") }))
	for range 200 {
		c.next()
	}
	c.say(strings.Repeat(repeated(100, func(id uint32) string { return part(id, letters(1000)) }), 4))
	c.say(repeated(100, func(id uint32) string { return last(id, "") }), ping(pingText))
	c.hears("pong 12345678").closes("")
}

// What comes behind a head that was refused is for nobody, before the answer as well.
func TestABodyBehindARefusedHeadIsNotKept(t *testing.T) {
	body := part(1, letters(maxFrame)) + part(1, letters(maxFrame)) + last(1, letters(maxFrame))
	for says, hears := range map[string]string{
		post(1, "x_a", "b"): "1 400. | 1 reset PROTOCOL_ERROR", post(1, "content-length", "1048577"): "1 413.", post(1, "expect", "x"): "1 417.",
	} {
		hold := make(chan struct{})
		c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
		c.patience = 5 * time.Second
		c.say(says, body).fence()
		assert.Zero(t, c.held(1))
		close(hold)
		c.closes(hears)
	}
}
