package h1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

// answered reads a whole head of an answer to a request with that method.
func answered(text, method string) (*wire.Response, error) {
	r, buf := new(wire.Response), []byte(text)
	n, err := new(Scanner).Scan(buf, ResponseLimits)
	if err != nil {
		return r, err
	}
	return r, ParseResponse(buf[:n], r, []byte(method))
}

func TestAnswersThatAreRead(t *testing.T) {
	for _, row := range []struct{ method, head, want string }{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "200 OK HTTP/1.1 2"},
		{"GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n", "200  HTTP/1.1 0"},
		{"GET", "HTTP/1.1 200 \r\nContent-Length: 0002\r\n", "200  HTTP/1.1 2"},
		{"GET", "HTTP/1.1 599 caf\xe9 \t x\r\nContent-Length: 2\r\n", "599 caf\xe9 \t x HTTP/1.1 2"},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n", "200 OK HTTP/1.1 -1 chunked"},
		{"GET", "HTTP/1.1 200 OK\r\n", "200 OK HTTP/1.1 -1 close"},
		{"GET", "HTTP/1.0 200 OK\r\n", "200 OK HTTP/1.0 -1 close"},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n", "200 OK HTTP/1.0 2 close"},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n", "200 OK HTTP/1.1 2 close"},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "200 OK HTTP/1.1 2"},
		{"HEAD", "HTTP/1.1 200 OK\r\n", "200 OK HTTP/1.1 -1"},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "200 OK HTTP/1.1 -1 chunked"},
		{"GET", "HTTP/1.1 204 No Content\r\n", "204 No Content HTTP/1.1 -1"},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n", "204 No Content HTTP/1.1 0"},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n", "304 Not Modified HTTP/1.1 9"},
		{"GET", "HTTP/1.1 100 Continue\r\n", "100 Continue HTTP/1.1 -1"},
		{"GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", "101 Switching Protocols HTTP/1.1 -1"},
	} {
		r, err := answered(row.head+"\r\n", row.method)
		if !assert.NoError(t, err, "%q", row.head) {
			continue
		}
		got := fmt.Sprintf("%d %s %s %d", r.Status, r.Reason, r.Version, r.Length)
		if r.Chunked {
			got += " chunked"
		}
		if r.Close {
			got += " close"
		}
		assert.Equal(t, row.want, got, "%q", row.head)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\n"
	for _, head := range []string{
		"HTTP/1.1\r\n", "HTTP/1.1 \r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1 200OK\r\n", "HTTP/1.1  200 OK\r\n",
		"HTTP/1.1\t200 OK\r\n", "HTTP/1.1 200\tOK\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 +20 OK\r\n", "HTTP/1.1 099 X\r\n",
		"HTTP/1.1 000 X\r\n", "HTTP/1.1 600 X\r\n", "HTTP/1.1 999 X\r\n", "HTTP/2.0 200 OK\r\n", "http/1.1 200 OK\r\n",
		"HTTP/1.2 200 OK\r\n", "ICY 200 OK\r\n", " HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 O\rK\r\n", "HTTP/1.1 200 O\x00K\r\n",
		"HTTP/1.1 200 O\x1bK\r\n",
		ok + "Content-Length: 2\r\nContent-Length: 2\r\n", ok + "Content-Length: 2, 2\r\n", ok + "Content-Length: +2\r\n",
		ok + "Content-Length: 0x2\r\n", ok + "Content-Length:\r\n", ok + "Content-Length: 2 2\r\n",
		ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", ok + "Transfer-Encoding: gzip\r\n",
		ok + "Transfer-Encoding: gzip, chunked\r\n", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n",
		"HTTP/1.1 204 X\r\nContent-Length: 5\r\n", "HTTP/1.1 103 X\r\nContent-Length: 5\r\n",
		"HTTP/1.1 100 X\r\nTransfer-Encoding: chunked\r\n",
		ok + "X-A : b\r\n", ok + " X-A: b\r\n", ok + "X-A: one\r\n two\r\n", ok + "X-A\r\n", ok + ": b\r\n", ok + "X-A: a\rb\r\n",
		ok + "X-A: \x00\r\n", ok + strings.Repeat("X: y\r\n", 257), ok + "Connection: " + strings.Repeat("a,", 513) + "\r\n",
	} {
		_, err := answered(head+"\r\n", "GET")
		assert.Equal(t, "backend_malformed", reasonOf(err), "%q", head)
	}
}

func TestHeadsOfAnswersHaveALimit(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("b", 64<<10), "HTTP/1.1 200 " + strings.Repeat("b", 65<<10)} {
		_, err := answered(head+"\r\n\r\n", "GET")
		assert.Equal(t, "head_too_large", reasonOf(err))
	}
	_, err := answered("HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("b", 60<<10)+"\r\n\r\n", "GET")
	assert.NoError(t, err)
}

func TestFieldsOfAnAnswer(t *testing.T) {
	r, err := answered("HTTP/1.1 200 OK\r\nX_A: 1\r\nX.B: 2\r\nX-C: caf\xe9\r\nServer: uvicorn\r\nContent-Length: 0\r\n\r\n", "GET")
	assert.NoError(t, err)
	assert.Equal(t, []string{"x_a: 1", "x.b: 2", "x-c: caf\xe9", "server: uvicorn", "content-length: 0"}, listed(&r.Fields))
}

func TestHasBody(t *testing.T) {
	for _, row := range []struct {
		status int
		method string
		want   bool
	}{
		{200, "GET", true}, {200, "HEAD", false}, {404, "POST", true}, {204, "GET", false}, {304, "GET", false},
		{100, "GET", false}, {101, "GET", false}, {199, "GET", false}, {205, "GET", true}, {200, "", true},
	} {
		assert.Equal(t, row.want, wire.HasBody(row.status, []byte(row.method)), "%d %s", row.status, row.method)
	}
}
