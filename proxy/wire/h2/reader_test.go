package h2

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipe connects without buffers in between: each write is one read, or more.
func pipe(t *testing.T, config *Config, serve func(*Stream)) *client {
	near, far := net.Pipe()
	return attach(t, near, far, config, serve)
}

func TestTheLastByteOfABodyIsNotWaitedOver(t *testing.T) {
	c := pipe(t, patient(), echo).greet()
	c.patience = 5 * time.Second
	c.say(post(1, "expect", "100-continue")).hears("1 100")
	all := last(1, "hello")
	c.say(all[:len(all)-1])
	c.say("o").hears("1 200 | 1 \"hello\".")
}

func TestNothingComesInTime(t *testing.T) {
	config := patient()
	config.Head = 100 * time.Millisecond
	for name, text := range map[string]string{
		"no preface":                "",
		"half a preface":            preface[:10],
		"no settings":               preface,
		"half a frame":              preface + settings() + ping(pingText)[:12],
		"less than a head":          preface + settings() + ping(pingText)[:3],
		"a block that is not ended": preface + settings() + raw(frameHeaders, flagEndStream, 1, plain("GET", "/")),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, config, echo).say(text)
			assert.Contains(t, c.rest(), "bye 0 ENHANCE_YOUR_CALM")
			assert.Equal(t, &Error{EnhanceYourCalm, "a frame that did not arrive in time"}, c.end())
		})
	}
}

// A field block has its time from its first byte on, however many frames it has.
func TestAFieldBlockInManyFramesHasNoMoreTime(t *testing.T) {
	config := patient()
	config.Head = 300 * time.Millisecond
	c := dial(t, config, echo).greet()
	c.say(raw(frameHeaders, flagEndStream, 1, plain("GET", "/")))
	drip(t, c, raw(frameContinuation, 0, 1, "\x10\x01a\x01b"))
	assert.Equal(t, "bye 0 ENHANCE_YOUR_CALM", c.rest())
}

// drip says text every 20 ms until the connection ends, or for five seconds.
func drip(t *testing.T, c *client, text string) {
	tick, over := time.NewTicker(20*time.Millisecond), time.After(5*time.Second)
	t.Cleanup(tick.Stop)
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
			case <-c.ended:
				return
			case <-over:
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}()
}

func TestAClientThatIsLeavingGetsNoMoreTime(t *testing.T) {
	config := patient()
	config.Head, config.Body = 200*time.Millisecond, 200*time.Millisecond
	bye := raw(frameGoAway, 0, 0, number(0)+number(0))
	t.Run("for a frame", func(t *testing.T) {
		c := dial(t, config, echo).greet()
		c.say(bye, ping(pingText)[:12])
		assert.Contains(t, c.rest(), "ENHANCE_YOUR_CALM")
	})
	t.Run("for a body", func(t *testing.T) {
		c := dial(t, config, echo).greet()
		c.say(bye, post(1), part(1, "hello"))
		assert.Contains(t, c.rest(), "1 408.")
		assert.Equal(t, ErrLeft, c.end())
	})
}

func TestAConnectionOnWhichNothingComesFallsAsleep(t *testing.T) {
	near, far := loopback(t)
	defer near.Close()
	defer far.Close()
	var c Conn
	h := &hands{conn: &c, serve: echo}
	c.Init(far, patient(), h)
	client := attachClient(t, near)
	client.conn = &c
	client.say(preface, settings())
	require.Equal(t, ErrIdle, c.Serve(50*time.Millisecond))
	assert.Nil(t, c.in, "a buffer while nothing is there")
	client.hears("settings | 0 +983041 | settings ack")

	client.say(get(1))
	require.Equal(t, ErrIdle, c.Serve(50*time.Millisecond), "it wakes up and falls asleep again")
	client.hears("1 200.")
	c.Farewell()
	h.work.Wait()
	far.Close()
	assert.Equal(t, "bye 1 NO_ERROR", client.rest())
}
