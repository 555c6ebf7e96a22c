package h2

import (
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
