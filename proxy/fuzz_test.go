package proxy_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// seeds are what clients send, well and badly.
var seeds = []string{
	testbed.Head("POST /track", "Content-Length: 5") + "hello",
	testbed.Head("POST /track?a=b", "Content-Length: 5", "Expect: 100-continue") + "hello" + testbed.Head("GET /docs"),
	testbed.Head("POST /track", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n" + testbed.Head("POST /track"),
	testbed.Head("POST /track", "Transfer-Encoding: chunked", "Content-Length: 5") + "5\r\nhello\r\n0\r\n\r\n",
	testbed.Head("POST /track", "Transfer-Encoding: chunked") + "186a0\r\n" + text(100_000) + "\r\n0\r\n\r\n",
	testbed.Head("POST /track", "Content-Length: 100000") + text(70_000),
	testbed.Head("OPTIONS /track", asksToPost...) + testbed.Head("HEAD /track"),
	testbed.Head("POST http://track.test/track", "Connection: close") + testbed.Head("POST /track"),
	testbed.Head("POST /track", hostile...),
	"POST /track HTTP/1.0\r\nHost: track.test\r\nConnection: keep-alive\r\n\r\n",
	"\r\n" + testbed.Head("POST /track/") + "\r\n\r\n",
	"POST /track HTTP/1.1\nHost: track.test\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01",
	testbed.Head("POST /track", "Host: track.test", "Host: evil.test"), testbed.Head("POST /track", "Upgrade: websocket", "Connection: upgrade"),
	testbed.Head("POST /track", "Content-Length: 5\r\n Content-Length: 6") + "hello", testbed.Head("POST /track", "Content-Length : 5") + "hello",
}

// FuzzExchange sends anything to a whole gate. It must answer in HTTP and close;
// what it makes of it for a backend must be a request that means one thing, to
// /track and nothing else; and when it ends, nothing may be left of it.
func FuzzExchange(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	var wrong atomic.Pointer[testbed.Request]
	backend := testbed.Backend(f, testbed.Forgets(), testbed.By(func(r testbed.Request) string {
		if !proper(r) {
			wrong.CompareAndSwap(nil, &r)
		}
		return ""
	}))
	edge := testbed.Edge(f, testbed.Pool(backend.Addr), testbed.Listener("tls: off", "limits: {body: 200KiB}"), testbed.LogUnread(),
		testbed.Section("limits: {connections_per_client: 0, handshakes_per_client: 0}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		client := edge.Dial(t, testbed.Way{Plain: true})
		defer client.Close()
		go func() {
			client.Write(raw) //nolint:errcheck // the gate need not read it all
			client.Conn.(*net.TCPConn).CloseWrite()
		}()
		require.NoError(t, answersInHTTP(client.Conn))
		require.NoError(t, backend.Garbled())
		require.Nil(t, wrong.Load(), "what the backend got")
	})
}

// proper reports whether a backend can take the request one way only.
func proper(r testbed.Request) bool {
	post := r.Line == "POST /track HTTP/1.1" || strings.HasPrefix(r.Line, "POST /track?")
	framings := len(r.Field("content-length")) + len(r.Field("transfer-encoding"))
	once := len(r.Field("host")) == 1 && len(r.Field("x-forwarded-for")) == 1 && framings == 1
	for _, f := range r.Fields {
		name, _, _ := strings.Cut(f, ":")
		once = once && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	}
	return post && once && r.Field("x-forwarded-for")[0] == "127.0.0.1" && len(r.Field("connection"))+len(r.Field("upgrade")) == 0
}

// answersInHTTP reads answers until the gate closes.
func answersInHTTP(r io.Reader) error {
	answers := bufio.NewReader(r)
	for {
		if _, err := answers.Peek(1); err != nil {
			return closed(err)
		}
		// The method decides about HEAD only, whose answers have no body: a
		// length that is not followed by one ends the reading here.
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return nil
		}
	}
}

// closed turns the end of a connection into no error; a gate that does not end it
// is one.
func closed(err error) error {
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return err
	}
	return nil
}
