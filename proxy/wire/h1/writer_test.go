package h1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// answering is what a server says with the given calls.
func answering(status int, length int64, parts ...string) serving {
	return func(c *ServerConn, _ *wire.Request) error {
		c.Start(status)
		c.Frame(length)
		last := len(parts) - 1
		for _, part := range parts[:last] {
			if err := c.Write([]byte(part)); err != nil {
				return err
			}
		}
		return c.Finish([]byte(parts[last]), nil)
	}
}

func TestAnswersByteForByte(t *testing.T) {
	old := "GET / HTTP/1.0\r\nHost: a\r\n\r\n"
	head := "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, row := range []struct {
		request string
		serve   serving
		want    string
	}{
		{get("/"), answering(200, 5, "hello"), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"},
		{get("/"), answering(200, 5, "he", "", "llo", ""), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"},
		{get("/"), answering(200, 0, ""), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"},
		{get("/"), answering(200, wire.Unknown, "hello", "x"),
			"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n"},
		{get("/"), answering(200, wire.Unknown, ""), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
		{get("/"), answering(299, 0, ""), "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n"},
		{get("/"), answering(999, 0, ""), "HTTP/1.1 999 \r\ncontent-length: 0\r\n\r\n"},
		{get("/"), answering(204, 0, ""), "HTTP/1.1 204 No Content\r\n\r\n"},
		{get("/"), answering(204, wire.Unknown, "dropped"), "HTTP/1.1 204 No Content\r\n\r\n"},
		{get("/"), answering(304, 5, ""), "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"},
		{get("/"), answering(304, wire.Unknown, ""), "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{head, answering(200, 5, "hello"), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"},
		{head, answering(200, 5, ""), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"},
		{head, answering(200, wire.Unknown, "hello", "x"), "HTTP/1.1 200 OK\r\n\r\n"},
		{get("/", "Connection: close"), answering(200, 5, "hello"),
			"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{old, answering(200, 5, "hello"), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{old, answering(200, wire.Unknown, "hello", "x"), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhellox"},
	} {
		c := dial(t, patient(), row.serve).send(row.request)
		assert.Equal(t, row.want, c.raw(len(row.want)), "%q", row.request)
		if !strings.Contains(row.want, "connection: close") {
			c.send(row.request)
			assert.Equal(t, row.want, c.raw(len(row.want)), "%q again", row.request)
			continue
		}
		c.endsWith("")
	}
}

func TestLargeAnswers(t *testing.T) {
	for _, n := range []int{4 << 10, joined - 100, joined, 64 << 10, 1 << 20} {
		body := letters(n)
		for _, length := range []int64{int64(n), wire.Unknown} {
			c := dial(t, patient(), answering(200, length, body[:n/2], body[n/2:]))
			for range 2 {
				c.send(get("/")).answer("GET").is(200, body).closes(false)
			}
		}
	}
}

func TestTrailersOfAnAnswer(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		var trailers wire.Fields
		trailers.Add(wire.Other, []byte("x-sum"), []byte("1"))
		trailers.Add(wire.Other, []byte("x-gone"), []byte("2"))
		trailers.All()[1].Gone = true
		c.Start(200)
		c.Frame(wire.Unknown)
		return c.Finish([]byte("hello"), &trailers)
	})
	a := c.send(get("/")).answer("GET").is(200, "hello")
	assert.Equal(t, []string{"1"}, a.res.Trailer["X-Sum"])
	assert.Len(t, a.res.Trailer, 1)
	c.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").answer("GET").is(200, "hello").closes(true)
	c.endsWith("")
}

func TestInformationalAnswersComeFirst(t *testing.T) {
	serve := func(c *ServerConn, r *wire.Request) error {
		var hints wire.Fields
		hints.Add(wire.Other, []byte("link"), []byte("</a>"))
		hints.Add(wire.Other, []byte("x-gone"), []byte("b"))
		hints.All()[1].Gone = true
		hints.Add(wire.ContentLength, []byte("content-length"), []byte("5"))
		if err := c.Inform(103, &hints); err != nil {
			return err
		}
		if err := c.Inform(102, nil); err != nil {
			return err
		}
		return hello(c, r)
	}
	want := "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n"
	c := dial(t, patient(), serve).send(get("/"))
	assert.Equal(t, want+"\r\nhello", c.raw(len(want)+7))

	c = dial(t, patient(), serve).send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
	assert.Equal(t, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", c.all(), "HTTP/1.0 has no 1xx")
}

func TestFieldsOfAnAnswerAreWrittenInOrder(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, _ *wire.Request) error {
		c.Start(200)
		c.Pass(&wire.Field{Name: []byte("x-a"), Value: []byte("1")})
		c.Field("x-b", []byte("2"))
		c.Last()
		assert.True(t, c.Closing())
		c.Frame(0)
		err := c.Finish(nil, nil)
		assert.EqualValues(t, len("HTTP/1.1 200 OK\r\nx-a: 1\r\nx-b: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"), c.Written())
		return err
	})
	assert.Equal(t, "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-b: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", c.send(get("/")).all())
}

// A body that is not as long as was said must not run into the next answer.
func TestAnswersOfAnotherLengthThanSaidEndTheConnection(t *testing.T) {
	for _, serve := range []serving{answering(200, 5, "hell"), answering(200, 5, "he", "ll"), answering(200, 5, "hello", "!"), answering(200, 5, "")} {
		c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
			err := serve(c, r)
			assert.Equal(t, "backend_malformed", reasonOf(err))
			assert.True(t, c.Closing())
			c.Abort(reason.BackendMalformed)
			return nil
		})
		got := c.send(get("/") + get("/2")).all()
		assert.Equal(t, 1, strings.Count(got, "HTTP/1.1"))
		assert.NotContains(t, got, "!")
	}
}

func TestAnAnswerThatIsCutIsResetWhereItWouldLookWhole(t *testing.T) {
	for _, row := range []struct {
		request string
		length  int64
		want    bool
	}{
		{get("/"), 5, false},
		{get("/"), wire.Unknown, false},
		{"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 5, false},
		{"GET / HTTP/1.0\r\nHost: a\r\n\r\n", wire.Unknown, true},
		{"HEAD / HTTP/1.0\r\nHost: a\r\n\r\n", wire.Unknown, false},
	} {
		c := dial(t, patient(), func(c *ServerConn, _ *wire.Request) error {
			c.Start(200)
			c.Frame(row.length)
			assert.NoError(t, c.Write([]byte("he")))
			assert.False(t, c.Resets(), "nothing was cut yet")
			c.Abort(reason.BackendClosed)
			assert.Equal(t, row.want, c.Resets(), "%q %d", row.request, row.length)
			assert.True(t, c.Closing())
			return nil
		})
		c.send(row.request).all()
	}
	var gone ServerConn
	gone.Abort(reason.ClientClosed)
	assert.True(t, gone.Resets(), "nobody is there to see it")
}
