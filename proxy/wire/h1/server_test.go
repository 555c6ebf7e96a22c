package h1

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestConnectionCarriesOneExchangeAfterTheOther(t *testing.T) {
	c := dial(t, patient(), echo)
	for i := range 3 {
		target := fmt.Sprintf("/%d", i)
		c.send(get(target)).answer("GET").is(200, "").has("x-line", "GET "+target+" 0").closes(false)
		c.send(post(target, "hello")).answer("POST").is(200, "hello").has("x-line", "POST "+target+" 5").closes(false)
		c.send(chunkedPost("hello", 2)).answer("POST").is(200, "hello").closes(false)
	}
	assert.Equal(t, io.EOF, c.end(), "an end between exchanges is clean")
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		text.WriteString(get(fmt.Sprintf("/get/%d", i)) + post(fmt.Sprintf("/post/%d", i), letters(i*10)) + chunkedPost(letters(i), 7))
	}
	c := dial(t, patient(), echo).send(text.String())
	for i := range 100 {
		c.answer("GET").is(200, "").has("x-line", fmt.Sprintf("GET /get/%d 0", i))
		c.answer("POST").is(200, letters(i*10)).has("x-line", fmt.Sprintf("POST /post/%d %d", i, i*10))
		c.answer("POST").is(200, letters(i)).has("x-line", fmt.Sprintf("POST /c %d", i))
	}
}

func TestPipelinedBytesBehindABodyAreTheNextRequest(t *testing.T) {
	for _, n := range []int{1, 995, 8 << 10, 16 << 10, 64 << 10, 64<<10 + 1} {
		c := dial(t, patient(), echo).send(post("/1", letters(n)) + get("/2") + chunkedPost(letters(n), 4000) + get("/3"))
		c.answer("POST").is(200, letters(n))
		c.answer("GET").is(200, "").has("x-line", "GET /2 0")
		c.answer("POST").is(200, letters(n))
		c.answer("GET").is(200, "").has("x-line", "GET /3 0")
	}
}

// A buffer that has grown for a large head holds more of a body behind it than
// the first buffer for bodies does. None of it may get lost or be taken for a
// request.
func TestBodyBehindALargeHeadIsReadInOrder(t *testing.T) {
	body := letters(60 << 10)
	for _, head := range []int{6 << 10, 9 << 10, 17 << 10, 31 << 10} {
		big := get("/big", "X-Big: "+strings.Repeat("x", head))
		c := dial(t, patient(), echo)
		c.send(big + post("/1", body) + get("/2"))
		c.answer("GET").has("x-line", "GET /big 0")
		c.answer("POST").is(200, body)
		c.answer("GET").has("x-line", "GET /2 0")
	}
	c := dial(t, patient(), echo)
	c.send(post("/1", body, "X-Big: "+strings.Repeat("x", 31<<10)) + chunkedPost(body, 30000))
	c.answer("POST").is(200, body)
	c.answer("POST").is(200, body)
}

func TestOneEmptyLineBeforeARequestIsIgnored(t *testing.T) {
	c := dial(t, patient(), echo)
	c.send("\r\n"+get("/1")).answer("GET").has("x-line", "GET /1 0")
	c.send("\r\n" + get("/2") + "\r\n" + get("/3"))
	c.answer("GET").has("x-line", "GET /2 0")
	c.answer("GET").has("x-line", "GET /3 0")

	for _, text := range []string{"\r\n\r\n" + get("/"), "\n" + get("/"), "\r\n\n" + get("/"), "\r\n \r\n\r\n"} {
		dial(t, patient(), echo).send(text).answer("GET").is(400, "").closes(true)
	}
}

// The first byte comes into the connection, the rest into a buffer: whatever
// comes with which read, the same must be understood.
func TestRequestsSplitAtEveryByte(t *testing.T) {
	text := "\r\n" + get("/1") + post("/2", "hello") + chunkedPost("hello world", 4, "X-Sum: 1") + "\r\n" + post("/3", "") + get("/4")
	for end := range len(text) {
		near, far := net.Pipe()
		c := attach(t, near, far, func(nc net.Conn) error { return serveAll(nc, patient(), echo) })
		go func() {
			io.WriteString(c, text[:end])
			io.WriteString(c, text[end:])
		}()
		c.answer("GET").is(200, "").has("x-line", "GET /1 0")
		c.answer("POST").is(200, "hello").has("x-line", "POST /2 5")
		c.answer("POST").is(200, "hello world").has("x-sum", "1")
		c.answer("POST").is(200, "").has("x-line", "POST /3 0")
		c.answer("GET").is(200, "").has("x-line", "GET /4 0")
		if assert.Equal(t, io.EOF, c.end(), "split at %d", end); t.Failed() {
			return
		}
	}
}

func TestNothingBehindAFaultIsInterpreted(t *testing.T) {
	for _, row := range []struct {
		text   string
		status int
		reason string
	}{
		{"GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n", 400, "malformed"},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "malformed"},
		{"GET / HTTP/1.1\r\n\r\n", 400, "malformed"},
		{"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "version_not_supported"},
		{"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417, "expectation_failed"},
		{"GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "target_too_long"},
		{get("/", "X: "+strings.Repeat("a", 33<<10)), 431, "head_too_large"},
		{get("/", strings.Split(strings.Repeat("X: y,", 100)+"X: y", ",")...), 431, "head_too_large"},
		{post("/", "", "Transfer-Encoding: chunked"), 400, "malformed"},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, "malformed"},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nhello\n", 0, ""},
		{chunkedPost("hello", 5, "X"), 400, "malformed"},
	} {
		c := dial(t, patient(), echo).send(row.text + get("/evil"))
		if row.status == 0 { // still waiting for the body
			c.end()
			continue
		}
		c.answer("GET").is(row.status, "").closes(true)
		c.endsWith(row.reason)
	}
}

func TestClientThatGoesAway(t *testing.T) {
	plain, chunked := post("/", "hello"), chunkedPost("hello", 5)
	for _, text := range []string{"G", "GET / HTTP/1.1\r\nHost: a\r\n", plain[:len(plain)-1], chunked[:len(chunked)-1]} {
		c := dial(t, patient(), echo).send(text)
		c.Conn.(*net.TCPConn).CloseWrite()
		c.endsWith("client_closed")

		c = dial(t, patient(), echo).send(text)
		c.Conn.(*net.TCPConn).SetLinger(0)
		assert.Equal(t, "client_closed", reasonOf(c.end()), "a reset")
	}
}

func TestWorkThatGrewIsNotKept(t *testing.T) {
	w := &work{in: make([]byte, 2*inSize), w: 7}
	w.recycle()
	runtime.KeepAlive(w)
	assert.Equal(t, 7, w.w, "it was left as it was")
	w = &work{in: make([]byte, inSize), r: 3, w: 7, base: 2}
	w.recycle()
	assert.Equal(t, []int{0, 0, 0}, []int{w.r, w.w, w.base})
}

func TestTunnelHandsOverWhatWasReadAhead(t *testing.T) {
	c := dial(t, patient(), func(c *ServerConn, r *wire.Request) error {
		assert.True(t, r.Upgrade)
		var fields wire.Fields
		fields.Add(wire.Connection, []byte("connection"), []byte("Upgrade"))
		fields.Add(wire.Upgrade, []byte("upgrade"), []byte("websocket"))
		fields.Add(wire.Other, []byte("sec-websocket-accept"), []byte("x"))
		fields.Add(wire.ContentLength, []byte("content-length"), []byte("0"))
		tunnel, err := c.Switch(&fields)
		if err != nil {
			return err
		}
		got := make([]byte, 10)
		n, err := tunnel.Read(got)
		assert.Equal(t, "ping", string(got[:n]))
		return err
	})
	c.send(get("/ws", "Connection: Upgrade", "Upgrade: websocket") + "ping")
	assert.Equal(t, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"+
		"sec-websocket-accept: x\r\n\r\n", c.all())
	assert.NoError(t, c.end())
}
