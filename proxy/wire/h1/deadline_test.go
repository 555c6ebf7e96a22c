package h1

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

// brisk is a configuration whose times are easy to tell apart.
func brisk() *Config {
	return &Config{Limits: usual, Head: 10 * time.Second, Body: 7 * time.Second, Grace: 5 * time.Second, Rate: 100, Write: 3 * time.Second}
}

// inBubble runs story on a connection whose time is not the world's.
func inBubble(t *testing.T, config *Config, serve serving, story func(t *testing.T, c *client)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := attach(t, near, far, func(nc net.Conn) error { return serveAll(nc, config, serve) })
		c.patience = time.Hour
		story(t, c)
		c.end()
	})
}

// drip sends text byte by byte, with a pause before each, until it fails.
func (c *client) drip(text string, pause time.Duration) {
	for i := range len(text) {
		select {
		case <-time.After(pause):
		case <-c.ended:
			return
		}
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
	}
}

// after says that do takes that long, give or take the slack of deadlines.
func after(t *testing.T, want time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	assert.InDelta(t, want.Seconds(), time.Since(start).Seconds(), deadlineSlack.Seconds())
}

func TestHeadHasAnAbsoluteDeadline(t *testing.T) {
	for name, first := range map[string]string{"first": "", "second": get("/1")} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, brisk(), hello, func(t *testing.T, c *client) {
				if first != "" {
					c.send(first).answer("GET").is(200, "hello")
				}
				<-time.After(40 * time.Second)
				c.send("G")
				go c.drip(get("/slow")[1:], time.Second)
				after(t, 10*time.Second, func() { c.answer("GET").is(408, "").closes(true) })
				c.endsWith("client_too_slow")
			})
		})
	}
}

func TestHeadWithinItsDeadlineIsServed(t *testing.T) {
	inBubble(t, brisk(), hello, func(t *testing.T, c *client) {
		go c.drip(get("/"), 9*time.Second/time.Duration(len(get("/"))))
		after(t, 9*time.Second, func() { c.answer("GET").is(200, "hello").closes(false) })
	})
}

func TestBodyMustNotPause(t *testing.T) {
	config := brisk()
	config.Rate = 0
	for _, text := range []string{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhello"} {
		inBubble(t, config, echo, func(t *testing.T, c *client) {
			c.send(text)
			<-time.After(6 * time.Second)
			c.send("hello")
			after(t, 7*time.Second, func() { c.answer("POST").is(408, "").closes(true) })
			c.endsWith("client_too_slow")
		})
	}
}

// With pauses that are allowed, a body of any size may take as long as it takes.
func TestBodyWithoutARateMayBeSlow(t *testing.T) {
	config := brisk()
	config.Rate = 0
	inBubble(t, config, echo, func(t *testing.T, c *client) {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
		go c.drip(letters(30), 6*time.Second)
		after(t, 3*time.Minute, func() { c.answer("POST").is(200, letters(30)) })
	})
}

func TestBodyHasAMinimumRate(t *testing.T) {
	for _, row := range []struct {
		what, head string
		pause      time.Duration // between two bytes of the body
		status     int
		after      time.Duration
	}{
		{"far below it", "Content-Length: 2000", time.Second, 408, 5050 * time.Millisecond},
		{"half of it", "Content-Length: 2000", time.Second / 50, 408, 10 * time.Second},
		{"just above it", "Content-Length: 2000", time.Second / 110, 200, 2000 * time.Second / 110},
		{"half of it, beside a large body", "Content-Length: 100000", time.Second / 50, 408, 10 * time.Second},
		{"half of it, in one chunk", "Transfer-Encoding: chunked", time.Second / 50, 408, 10 * time.Second},
	} {
		t.Run(row.what, func(t *testing.T) {
			inBubble(t, brisk(), echo, func(t *testing.T, c *client) {
				c.send("POST / HTTP/1.1\r\nHost: a\r\n" + row.head + "\r\n\r\n")
				if row.head[0] == 'T' {
					c.send("7d0\r\n")
				}
				go c.drip(letters(2000), row.pause)
				after(t, row.after, func() { assert.Equal(t, row.status, c.answer("POST").res.StatusCode) })
			})
		})
	}
}

// Only waiting for the client counts: what a handler does between two reads is
// its own time.
func TestRateCountsOnlyTheClientsTime(t *testing.T) {
	inBubble(t, brisk(), func(c *ServerConn, r *wire.Request) error {
		for {
			_, err := c.Read(make([]byte, 1))
			if err == io.EOF {
				return hello(c, r)
			}
			if err != nil {
				return err
			}
			<-time.After(20 * time.Second)
		}
	}, func(t *testing.T, c *client) {
		go io.WriteString(c, post("/", "hello"))
		after(t, 100*time.Second, func() { c.answer("POST").is(200, "hello") })
	})
}

func TestLargeBodiesDoNotOverflowTheRate(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	c := ServerConn{}
	c.Init(far, patient())
	c.borrow()
	defer c.Release()
	c.work.begin()
	c.work.continued = true
	go near.Write([]byte("x"))
	n, err := c.await(make([]byte, 1), 1<<50)
	assert.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestReaderThatIsTooSlow(t *testing.T) {
	var failed error
	inBubble(t, brisk(), func(c *ServerConn, r *wire.Request) error {
		c.Start(200)
		c.Frame(20000)
		after(t, 3*time.Second+3*time.Second/4, func() { failed = c.Write([]byte(letters(20000))) })
		return failed
	}, func(t *testing.T, c *client) {
		c.send(get("/"))
		c.raw(10)
		<-c.ended
		assert.Equal(t, "client_closed", reasonOf(c.err))
	})
	assert.ErrorContains(t, failed, "timeout")
}

func TestEachWriteHasItsTime(t *testing.T) {
	inBubble(t, brisk(), answering(200, 5, "h", "e", "l", "l", "o"), func(t *testing.T, c *client) {
		c.send(get("/"))
		c.raw(len("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nh"))
		for range 4 {
			<-time.After(2900 * time.Millisecond)
			c.raw(1)
		}
		c.send(get("/"))
		c.raw(len("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"))
	})
}

func TestAwaitEndsWhenNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		var c ServerConn
		c.Init(far, patient())
		for _, wait := range []time.Duration{time.Second, 100 * time.Millisecond, 100 * time.Millisecond, time.Second, 1100 * time.Millisecond} {
			start := time.Now()
			assert.ErrorIs(t, c.Await(start.Add(wait)), os.ErrDeadlineExceeded)
			assert.GreaterOrEqual(t, time.Since(start), wait, "never early")
			assert.LessOrEqual(t, time.Since(start), wait+deadlineSlack)
			assert.Nil(t, c.work, "no buffers while it waits")
		}
		assert.ErrorIs(t, c.Await(time.Now()), os.ErrDeadlineExceeded)
	})
}

func TestAwaitEndsWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		var c ServerConn
		c.Init(far, patient())
		go func() {
			<-time.After(time.Second)
			far.SetReadDeadline(time.Unix(1, 0))
		}()
		after(t, time.Second, func() { assert.ErrorIs(t, c.Await(time.Now().Add(time.Hour)), os.ErrDeadlineExceeded) })
	})
}

// A byte that came before the deadline of a wait is the beginning of a request,
// whatever deadline was in force before.
func TestAwaitWithBytesThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		var c ServerConn
		c.Init(far, patient())
		assert.ErrorIs(t, c.Await(time.Now().Add(time.Second)), os.ErrDeadlineExceeded)
		go near.Write([]byte(get("/1") + get("/2")))
		for _, target := range []string{"/1", "/2"} {
			assert.NoError(t, c.Await(time.Now().Add(100*time.Millisecond)))
			r, err := c.ReadHead(time.Now())
			assert.NoError(t, err)
			assert.Equal(t, target, string(r.Target))
			c.work.out = c.work.out[:0]
			assert.True(t, c.Next())
		}
		near.Close()
		assert.Equal(t, io.EOF, c.Await(time.Now().Add(time.Second)))
		assert.Nil(t, c.work)
	})
}
