package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testbed"
)

// whims are what a backend in chaos may do with a request. Whatever it answers
// names the request by its x-id. They say whether the connection stays.
var whims = []func(nc net.Conn, id string) (stay bool){
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 10)) },
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 40_000)) },
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 900_000)) },
	func(nc net.Conn, id string) bool {
		return say(nc, "HTTP/1.1 200 OK\r\nx-id: "+id+"\r\ntransfer-encoding: chunked\r\n\r\n"+testbed.Chunked(text(30_000), 7_000))
	},
	func(nc net.Conn, id string) bool {
		return say(nc, "HTTP/1.1 103 Early Hints\r\nx-id: "+id+"\r\n\r\n"+answerTo(id, 5))
	},
	func(nc net.Conn, id string) bool { // ended by the connection
		return say(nc, "HTTP/1.1 200 OK\r\nx-id: "+id+"\r\n\r\n"+text(20_000)) && false
	},
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 5)+answerTo("nobody", 5)) },
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 1000)[:200]) && false },
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 1000)[:300]) }, // and never the rest
	func(nc net.Conn, id string) bool { return say(nc, answerTo(id, 5)) && false },
	func(nc net.Conn, _ string) bool { return say(nc, "garbage\r\n\r\n") },
	func(net.Conn, string) bool { return false },
}

func answerTo(id string, size int) string {
	return "HTTP/1.1 200 OK\r\nx-id: " + id + "\r\ncontent-length: " + strconv.Itoa(size) + "\r\n\r\n" + text(size)
}

func say(nc net.Conn, p string) bool {
	_, err := io.WriteString(nc, p)
	return err == nil
}

// whimsical is the address of a backend of changing whims.
func whimsical(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go indulge(nc)
		}
	}()
	return l.Addr().String()
}

// indulge serves one connection.
func indulge(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		id := req.Header.Get("x-id")
		if rand.IntN(12) == 0 { // before the body is there
			say(nc, answerTo(id, 10))
			if rand.IntN(2) == 0 {
				return
			}
			io.Copy(io.Discard, req.Body) //nolint:errcheck // as far as it comes
			continue
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil || !whims[rand.IntN(len(whims))](nc, id) {
			return
		}
	}
}

// wish is one request, or some behind each other, and the ids their answers have
// to name.
func wish(id string) (raw string, ids []string) {
	field := "x-id: " + id
	switch rand.IntN(9) {
	case 0:
		raw = testbed.Head("POST /track", field, "content-length: 300000") + text(300_000)
	case 1:
		raw = testbed.Head("POST /track", field, "transfer-encoding: chunked") + testbed.Chunked(text(200_000), 9_999)
	case 2:
		raw = testbed.Head("POST /docs", field, "content-length: 100000") + text(100_000)
	case 3:
		raw = testbed.Head("POST /track", field, "content-length: 3000000") + text(100_000)
	case 4:
		raw = testbed.Head("POST /track", field, "transfer-encoding: chunked") + "5\r\nhello\r\nzz\r\n"
	case 5:
		raw = testbed.Head("POST /track", field, "content-length: 5", "expect: 100-continue") + "hello"
	case 6:
		for k := range 5 {
			ids = append(ids, fmt.Sprint(id, "+", k))
			raw += testbed.Head("POST /track", "x-id: "+ids[k])
		}
		return raw, ids
	default:
		raw = testbed.Head("POST /track", field, "content-length: 20000") + text(20_000)
	}
	return raw, []string{id}
}

// visit asks for some things on one connection and may behave badly.
func visit(t *testing.T, client *testbed.Client, name string) {
	defer client.Close()
	for n := range 1 + rand.IntN(5) {
		raw, ids := wish(fmt.Sprint(name, "-", n))
		if rand.IntN(12) == 0 {
			raw = raw[:rand.IntN(len(raw))]
		}
		client.Offer(raw) // the answer may be there before all is taken
		switch rand.IntN(14) {
		case 0:
			return
		case 1:
			client.Conn.(interface{ CloseWrite() error }).CloseWrite() //nolint:errcheck // the gate may be gone
		case 2:
			time.AfterFunc(time.Duration(rand.IntN(20))*time.Millisecond, func() { client.Close() })
		case 3:
			client.GiveUp()
			ids = ids[:len(ids)-1]
		}
		for _, id := range ids {
			if !answered(t, client, id) {
				return
			}
		}
	}
}

// answered reads an answer and reports whether there may be another one.
func answered(t *testing.T, client *testbed.Client, id string) bool {
	res, err := client.TryAnswer("POST")
	if res != nil && res.Status == 200 {
		assert.Equal(t, id, res.Header.Get("x-id"), "somebody else's answer")
	}
	return err == nil && !res.Last()
}

// TestChaosMixesNothingAndLeavesNothing is not parallel: it counts goroutines.
func TestChaosMixesNothingAndLeavesNothing(t *testing.T) {
	for _, p := range testbed.Protocols() {
		for name, drains := range map[string]bool{"to the end": false, "drained": true} {
			before := runtime.NumGoroutine()
			t.Run(string(p)+" "+name, func(t *testing.T) { chaos(t, p, drains) })
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 /* Eventually's own */ }, testbed.Patience, tick, "goroutines")
		}
	}
}

func chaos(t *testing.T, p testbed.Protocol, drains bool) {
	const visitors, visits = 16, 6
	edge := p.Edge(t, testbed.Pool(whimsical(t), whimsical(t), testbed.DeadAddr(t)), testbed.LogUnread(),
		testbed.PoolKeys("max_connections: 9", "timeouts: {response: 300ms}"),
		testbed.Section("timeouts: {head: 300ms, body: 300ms, write: 300ms, keep_alive: 1200ms}"))
	var all sync.WaitGroup
	for v := range visitors {
		all.Go(func() {
			for n := range visits {
				if client, err := edge.TryDial(t, testbed.Way{}); err == nil {
					visit(t, client, fmt.Sprint(v, ".", n))
				}
			}
		})
	}
	if drains {
		time.AfterFunc(300*time.Millisecond, edge.Drain)
	}
	all.Wait()
	require.Eventually(t, func() bool { return edge.Connections() == 0 }, testbed.Patience, tick, "connections")
	assert.Equal(t, []int{0, 0, 0}, edge.Claimed())
	edge.Shows(t, p.Connections(), 0)
	edge.Shows(t, "trackgate_panics_total", 0)
}
