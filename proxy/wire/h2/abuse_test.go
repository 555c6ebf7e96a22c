package h2

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodbyes are the GOAWAYs among what comes until the end.
func (c *client) goodbyes() (byes []string) {
	for line := c.next(); line != ""; line = c.next() {
		if strings.HasPrefix(line, "bye") {
			byes = append(byes, line[strings.LastIndexByte(line, ' ')+1:])
		}
	}
	return byes
}

// repeated says something of one stream after the other.
func repeated(n int, say func(id uint32) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(say(uint32(2*i + 3)))
	}
	return b.String()
}

func always(text string) func(uint32) string { return func(uint32) string { return text } }

func TestWhatIsCheapToSayAndDearToHearHasAPrice(t *testing.T) {
	open := post(1)
	begun := raw(frameHeaders, 0, 1, plain("POST", "/"))
	for name, row := range map[string]struct {
		cost  int
		first string
		again func(id uint32) string
		limit bool // it goes on to cost when the client was told
	}{
		"resets":                       {costReset, "", func(id uint32) string { return get(id) + reset(id) }, true},
		"resets of half a request":     {costReset, "", func(id uint32) string { return post(id) + reset(id) }, true},
		"resets of what has ended":     {costReset, get(1), always(reset(1)), true},
		"windows of nothing":           {costReset, "", func(id uint32) string { return post(id) + update(id, 0) }, false},
		"windows over the bound":       {costReset, "", func(id uint32) string { return post(id) + update(id, 1<<31-1) }, false},
		"priorities of a wrong length": {costReset, "", func(id uint32) string { return post(id) + raw(framePriority, 0, id, "") }, true},
		"DATA behind the end":          {costReset, "", func(id uint32) string { return get(id) + part(id, letters(tinyData)) }, false},
		"heads behind the end":         {costReset, "", func(id uint32) string { return get(id) + get(id) }, false},
		"dependencies on themselves":   {costReset, "", func(id uint32) string { return raw(frameHeaders, 0x25, id, number(id)+"\x10"+plain("GET", "/")) }, false},
		"malformed heads":              {costReset, "", func(id uint32) string { return get(id, "x_a", "b") }, false},
		"malformed heads of bodies":    {costReset, "", func(id uint32) string { return post(id, "x_a", "b") + last(id, letters(tinyData)) }, false},
		"bodies of another length":     {costReset, "", func(id uint32) string { return post(id, "content-length", "1") + last(id, "") }, false},
		"pings":                        {costPing, "", always(ping(pingText)), true},
		"answers to pings":             {costFrame, "", always(raw(framePing, flagAck, 0, pingText)), true},
		"settings":                     {costSettings, "", always(settings()), true},
		"answers to settings":          {costFrame, "", always(raw(frameSettings, flagAck, 0, "")), true},
		"DATA without data":            {costEmpty, open, always(part(1, "")), true},
		"DATA of padding":              {costEmpty, open, always(raw(frameData, flagPadded, 1, "\x05\x00\x00\x00\x00\x00")), true},
		"DATA of a few bytes":          {costTiny, open, always(part(1, "x")), true},
		"field blocks in crumbs":       {costContinuation, begun, always(raw(frameContinuation, 0, 1, "\x10\x01a\x00")), true},
		"field blocks in nothing":      {costEmpty, begun, always(raw(frameContinuation, 0, 1, "")), true},
		"windows that nobody needs":    {costFrame, open + update(1, 1) + update(1, 1), always(update(1, 1)), true},
		"windows of the connection":    {costFrame, open + update(0, 1) + update(0, 1), always(update(0, 1)), true},
		"priorities":                   {costFrame, "", always(raw(framePriority, 0, 1, priority)), true},
		"frames of unknown types":      {costFrame, "", always(raw(0xa, 0, 0, "")), true},
	} {
		t.Run(name, func(t *testing.T) {
			says := row.first + repeated((abuseCalm-costSettings-10)/row.cost, row.again)
			c := dial(t, patient(), echo).greet().say(says)
			c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			assert.Empty(t, c.goodbyes(), "it is within its rights")

			c = dial(t, patient(), echo).greet()
			c.say(row.first, repeated(2*abuseLimit/row.cost, row.again))
			byes := c.goodbyes()
			if row.limit {
				assert.Equal(t, []string{"ENHANCE_YOUR_CALM", "ENHANCE_YOUR_CALM"}, byes)
				assert.Equal(t, EnhanceYourCalm, c.end().(*Error).Code)
				return
			}
			require.NotEmpty(t, byes)
			assert.Equal(t, "ENHANCE_YOUR_CALM", byes[0])
			c.end()
		})
	}
}

// What was told is kept: the streams of before are served, none of after.
func TestAClientThatWasToldToCalmDownGetsWhatItAskedFor(t *testing.T) {
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
	c.say(get(1), post(3), settings(), strings.Repeat(settings(), abuseCalm/costSettings))
	for line := c.next(); line != "bye 3 ENHANCE_YOUR_CALM"; line = c.next() {
		require.Equal(t, "settings ack", line)
	}
	c.say(raw(frameHeaders, 4, 5, "\x40\x03x-y\x03abc"+plain("POST", "/")), last(5, "x"), get(7), last(3, "hello"))
	release()
	c.deaf = true
	got := c.rest()
	assert.Contains(t, got, "1 200.")
	assert.Contains(t, got, "3 200 | 3 \"hello\".")
	assert.NotContains(t, got, "5 ")
	assert.NotContains(t, got, "7 ")
	assert.Equal(t, ErrLeft, c.end())
}

func TestSpendingFades(t *testing.T) {
	var a abuse
	now := time.Now()
	after := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	for i, row := range []struct{ at, cost, want int }{
		{0, 10, 10}, {0, 10, 20}, {5, 10, 30}, {9, 0, 30}, {100, 0, 20}, {1100, 5, 5}, {9000, 1000, 1000}, {9500, 0, 950}, {3600000, 1, 1}, {3600000, 0, 1},
	} {
		assert.Equal(t, row.want, a.spend(row.cost, after(row.at)), i)
	}
}

// A client that spends steadily, however often it is looked at, pays no more than it
// owes.
func TestSpendingFadesAtAnyPace(t *testing.T) {
	for _, every := range []time.Duration{time.Millisecond, 3 * time.Millisecond, 9 * time.Millisecond, 15 * time.Millisecond, 19 * time.Millisecond, time.Second} {
		var a abuse
		now := time.Now()
		a.spend(abuseCalm-50, now)
		for past := time.Duration(0); past < 5*time.Second; past += every {
			now = now.Add(every)
			a.spend(0, now)
		}
		assert.InDelta(t, abuseCalm-50-500, a.spend(0, now), 15, every)
	}
}

func TestAFairClientIsNotBlamed(t *testing.T) {
	t.Run("many requests", func(t *testing.T) {
		config := patient()
		config.Total = 20000
		c := dial(t, config, answering(258)).greet()
		for i := range uint32(200) {
			var says strings.Builder
			for id := i*100 + 1; id < (i+1)*100; id += 2 {
				says.WriteString(get(id) + update(0, 258))
			}
			c.say(says.String())
			for range 100 {
				require.NotContains(t, c.next(), "bye")
			}
		}
		c.closes("")
	})
	t.Run("a page that is left", func(t *testing.T) {
		hold := make(chan struct{})
		release := sync.OnceFunc(func() { close(hold) })
		defer release()
		c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
		c.say(repeated(50, func(id uint32) string { return get(id) })).fence()
		c.say(repeated(50, reset)).fence()
		release()
		c.say(get(201)).closes("201 200.")
	})
	t.Run("a large answer", func(t *testing.T) {
		c := dial(t, patient(), answering(2<<20)).greet()
		c.say(get(1)).hears("1 200")
		for left := 2 << 20; left > 0; {
			got := c.takes(1)
			left -= got
			c.say(update(1, uint32(got)), update(0, uint32(got)))
		}
		c.closes("")
	})
	t.Run("a large upload", func(t *testing.T) {
		c := dial(t, patient(), echo).greet()
		c.deaf = true
		c.say(settings(4, 1<<20), update(0, 1<<20), post(1), strings.Repeat(part(1, letters(100)), 600)).fence()
		c.say(last(1, "x")).hears("1 200")
		c.takes(60001)
	})
}

// A client that is waited for, and whose request has been handed out, provokes resets no
// cheaper than others.
func TestMistakesBehindAnExpectationHaveAPrice(t *testing.T) {
	for name, rest := range map[string]func(uint32) string{
		"more than was said": func(id uint32) string { return last(id, "xx") },
		"less than was said": func(id uint32) string { return last(id, "") },
		"trailers":           func(id uint32) string { return part(id, "x") + trailers(id, "x_a", "b") },
		"no end":             func(id uint32) string { return part(id, "x") + post(id) },
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, patient(), echo).greet()
			for id := uint32(1); id < 2*abuseLimit/costReset; id += 2 {
				got := c.say(post(id, "content-length", "1", "expect", "100-continue")).next() // 100, or word of the last mistake
				got += c.say(rest(id)).next() + c.next()
				if strings.Contains(got, "bye") {
					assert.Contains(t, got, "ENHANCE_YOUR_CALM")
					assert.Greater(t, id, uint32(100), "it is told too soon")
					return
				}
			}
			t.Error("the client was never told")
		})
	}
}

// All that a page uploads may be refused, while its bodies are on their way.
func TestUploadsThatAreRefusedAreNoMistake(t *testing.T) {
	c := dial(t, patient(), answering(0)).greet()
	c.say(repeated(100, func(id uint32) string { return post(id, "content-length", "100000") }))
	for range 200 {
		line := c.next()
		require.True(t, strings.HasSuffix(line, " 200.") || strings.HasSuffix(line, " reset NO_ERROR"), line)
	}
	c.say(repeated(100, func(id uint32) string { return part(id, letters(1000)) }), get(301))
	got := c.next()
	for got != "301 200." && got != "" {
		require.NotContains(t, got, "bye")
		got = c.next()
	}
	assert.Equal(t, "301 200.", got)
}

// Nobody wants them, but they have to be read.
func TestFramesForARefusedStreamAreNotFreeForEver(t *testing.T) {
	for name, frame := range map[string]string{"ends": last(1, ""), "trailers": trailers(1, "x-sum", "1")} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, patient(), echo).greet()
			c.say(post(1, "expect", "x")).hears("1 417. | 1 reset NO_ERROR")
			c.say(strings.Repeat(frame, abuseCalm/costFrame/2), ping(pingText)).hears("pong 12345678")
			c.say(strings.Repeat(frame, abuseLimit/costFrame))
			assert.Equal(t, []string{"ENHANCE_YOUR_CALM", "ENHANCE_YOUR_CALM"}, c.goodbyes())
		})
	}
}

// It cannot know how many there may be.
func TestAClientThatHasNotSeenOurSettingsMayOpenTooManyStreams(t *testing.T) {
	config := patient()
	config.Streams = 10
	hold := make(chan struct{})
	defer close(hold)
	c := dial(t, config, func(s *Stream) { <-hold; echo(s) })
	c.say(preface, settings(), repeated(110, func(id uint32) string { return get(id) }), ping(pingText))
	refused := 0
	for line := c.next(); line != "pong 12345678"; line = c.next() {
		if strings.HasSuffix(line, "REFUSED_STREAM") {
			refused++
		}
		require.NotContains(t, line, "bye")
	}
	assert.Equal(t, 100, refused)

	c.say(raw(frameSettings, flagAck, 0, ""), repeated(100, func(id uint32) string { return get(id + 300) }))
	for line := c.next(); !strings.HasSuffix(line, "ENHANCE_YOUR_CALM"); line = c.next() {
		require.NotEmpty(t, line)
	}
}

// A head that does not fit into one frame has to go on in others.
func TestLargeHeadsCostNothing(t *testing.T) {
	c := dial(t, patient(), echo).greet()
	large := plain("GET", "/", "x-large", letters(26000))
	for i := range uint32(300) {
		c.say(raw(frameHeaders, flagEndStream, 2*i+1, large[:maxFrame]), raw(frameContinuation, flagEndHeaders, 2*i+1, large[maxFrame:]))
		require.True(t, strings.HasSuffix(c.next(), " 200."))
	}
}
