package h1

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestBodiesOfEverySize(t *testing.T) {
	for _, n := range []int{0, 1, 995, 8 << 10, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200 << 10, 1 << 20} {
		c, body := dial(t, patient(), echo), letters(n)
		for range 2 {
			c.send(post("/", body)).answer("POST").is(200, body).has("x-line", fmt.Sprintf("POST / %d", n)).closes(false)
			c.send(chunkedPost(body, 5000)).answer("POST").is(200, body).has("x-line", fmt.Sprintf("POST /c %d", n)).closes(false)
			c.send(chunkedPost(body, 1<<20)).answer("POST").is(200, body).closes(false)
		}
	}
}

func TestBodiesOverTheLimit(t *testing.T) {
	tight := patient()
	tight.Limits.Body = 1000

	c := dial(t, tight, echo)
	c.send(post("/", letters(1000))).answer("POST").is(200, letters(1000))
	c.send(chunkedPost(letters(1000), 10)).answer("POST").is(200, letters(1000))
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
	c.answer("POST").is(413, "").closes(true)
	c.endsWith("body_too_large")

	for _, size := range []int{1, 999, 1001} {
		c := dial(t, tight, echo).send(chunkedPost(letters(1001), size))
		c.answer("POST").is(413, "").closes(true)
		c.endsWith("body_too_large")
	}
}

// Hold takes a body that fits and leaves one that does not to Read.
func TestHoldTakesWhatFits(t *testing.T) {
	for _, row := range []struct {
		text       string
		max, holds int
		whole      bool
	}{
		{get("/"), 10, 0, true},
		{post("/", letters(10)), 10, 10, true},
		{post("/", letters(11)), 10, 0, false},
		{post("/", letters(50000)), wire.MaxHold, 50000, true},
		{post("/", letters(50000)), 49999, 0, false},
		{chunkedPost(letters(9), 4), 10, 9, true},
		{chunkedPost(letters(10), 4), 10, 10, false},
		{chunkedPost(letters(11), 4), 10, 10, false},
		{chunkedPost(letters(50000), 700), wire.MaxHold, 50000, true},
		{chunkedPost(letters(70000), 700), wire.MaxHold, wire.MaxHold, false},
		{chunkedPost(letters(5), 4), 0, 0, false},
	} {
		c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
			body, whole, err := c.Hold(row.max)
			assert.NoError(t, err)
			assert.Equal(t, row.whole, whole, "%.30q", row.text)
			assert.True(t, letters(row.holds) == string(body), "%.30q", row.text)
			assert.EqualValues(t, row.holds, c.Taken())
			rest, err := io.ReadAll(c)
			assert.NoError(t, err)
			if whole {
				assert.Empty(t, rest)
			}
			n, err := c.Read(nil)
			assert.NoError(t, err)
			assert.Zero(t, n)
			return hello(c, r)
		})
		for range 2 {
			c.send(row.text).answer("POST").is(200, "hello").closes(false)
		}
	}
}

func TestTrailersOfARequest(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		_, whole, err := c.Hold(wire.MaxHold)
		assert.True(t, whole && err == nil)
		c.Start(200)
		c.Field("x-trailers", fmt.Appendf(nil, "%q", listed(c.Trailers())))
		c.Frame(0)
		return c.Finish(nil, nil)
	})
	c.send(chunkedPost("hello", 2, "X-Sum: 1", "Content-Length: 9", "X_Y: 2"))
	c.answer("POST").has("x-trailers", `["x-sum: 1" "(content-length: 9)" "(x_y: 2)"]`)
	c.send(chunkedPost("hello", 2)).answer("POST").has("x-trailers", "[]")
	c.send(post("/", "hello")).answer("POST").has("x-trailers", "[]")
}

const continued = "HTTP/1.1 100 Continue\r\n\r\n"

func TestContinueIsSaidOnceWhenTheBodyIsAwaited(t *testing.T) {
	body := letters(50000)
	for _, row := range []struct{ head, body string }{
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", "hello"},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\nExpect: 100-CONTINUE\r\n\r\n", body},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
	} {
		c := dial(t, patient(), echo)
		for range 2 {
			c.send(row.head)
			assert.Equal(t, continued, c.raw(len(continued)))
			c.send(row.body[:3]).send(row.body[3:]).answer("POST").closes(false)
		}
	}
}

func TestContinueIsNotSaidWhenTheBodyIsThereOrNotWanted(t *testing.T) {
	expect := "Expect: 100-continue"
	c := dial(t, patient(), echo)
	c.send(post("/", "hello", expect)).answer("POST").is(200, "hello")
	c.send(post("/", letters(60000), expect)).answer("POST").is(200, letters(60000))
	c.send(post("/", "", expect)).answer("POST").is(200, "")
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"+expect+"\r\n\r\nh").send("i").answer("POST").is(200, "hi")

	c.send("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n" + expect + "\r\n\r\n").send("hello")
	c.answer("POST").is(200, "hello").closes(true)
	c.endsWith("")

	c = dial(t, patient(), hello)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"+expect+"\r\n\r\n").answer("POST").is(200, "hello").closes(true)
	c.endsWith("")
}

// The body of a request that is answered early may still be read, but nothing
// may come between the parts of the answer.
func TestContinueIsNotSaidBehindTheFinalHead(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		c.Start(200)
		c.Frame(5)
		if err := c.Write([]byte("he")); err != nil {
			return err
		}
		body, err := io.ReadAll(c)
		assert.Equal(t, "world", string(body))
		assert.NoError(t, err)
		return c.Finish([]byte("llo"), nil)
	})
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	head := c.raw(len("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhe"))
	assert.Contains(t, head, "\r\nconnection: close\r\n\r\nhe")
	assert.Equal(t, "llo", c.send("world").raw(3))
	c.endsWith("")
}

func TestEarlyAnswersWithUnreadBody(t *testing.T) {
	small := post("/", "small")
	c := dial(t, patient(), hello)
	c.send(small + get("/2"))
	c.answer("POST").is(200, "hello").closes(false)
	c.answer("GET").is(200, "hello").closes(false)

	for _, text := range []string{small[:len(small)-1], post("/", letters(20000)), chunkedPost("hello", 5)} {
		c := dial(t, patient(), hello).send(text)
		c.answer("POST").is(200, "hello").closes(true)
		c.endsWith("")
	}

	half := func(c *ServerConn, r *wire.Request) error {
		_, err := io.ReadFull(c, make([]byte, 3))
		assert.NoError(t, err)
		return hello(c, r)
	}
	c = dial(t, patient(), half).send(small + post("/2", "again"))
	c.answer("POST").is(200, "hello").closes(false)
	c.answer("POST").is(200, "hello").closes(false)
}

func TestStopEndsAReadElsewhere(t *testing.T) {
	reading := make(chan struct{})
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		ended := make(chan error)
		go func() {
			c.Read(make([]byte, 1))
			close(reading)
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
		<-reading
		c.Stop()
		assert.Equal(t, "client_closed", reasonOf(<-ended))
		return hello(c, r)
	})
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nh").answer("POST").is(200, "hello").closes(true)
	c.endsWith("")
}

// A connection whose reading was stopped must not promise another exchange.
func TestStoppedConnectionCloses(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		c.Stop()
		return hello(c, r)
	})
	c.send(get("/")).answer("GET").is(200, "hello").closes(true)
	c.endsWith("")
}
