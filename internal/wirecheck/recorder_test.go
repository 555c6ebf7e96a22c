package wirecheck

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// request is one request as the backend saw it. An incomplete one has an empty
// target where not even its head was whole.
type request struct {
	head     head
	method   string
	target   string
	body     string
	complete bool
	conn     int
}

// record is everything that the backend saw of one case.
type record struct {
	requests []request
	raw      string
}

// without leaves out the requests for target: they are no part of the case.
func (r record) without(target string) record {
	r.requests = slices.DeleteFunc(r.requests, func(one request) bool { return one.target == target })
	return r
}

// mostRaw bounds how many bytes of a case are kept.
const mostRaw = 4 << 20

// recorder is a backend that keeps what it sees and answers 200 "ok", unless a
// script says otherwise. It reads leniently: it is the gate that is on trial.
type recorder struct {
	listener net.Listener

	mu       sync.Mutex
	requests []*request
	raw      bytes.Buffer
	script   script
	conns    int
}

// startRecorder serves until the test ends.
func startRecorder(t *testing.T) *recorder {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &recorder{listener: listener}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			id := r.connected()
			serving.Go(func() { r.serve(conn, id) })
			t.Cleanup(func() { conn.Close() })
		}
	})
	t.Cleanup(func() { listener.Close() })
	return r
}

func (r *recorder) address() string { return r.listener.Addr().String() }

func (r *recorder) connected() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns++
	return r.conns
}

// play answers by s from now on.
func (r *recorder) play(s script) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = s
}

// forget drops what was seen so far.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
	r.raw.Reset()
}

// seen returns what came since then.
func (r *recorder) seen() record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all record
	for _, one := range r.requests {
		all.requests = append(all.requests, *one)
	}
	all.raw = r.raw.String()
	return all
}

func (r *recorder) serve(conn net.Conn, id int) {
	defer conn.Close()
	in := bufio.NewReaderSize(io.TeeReader(conn, tap{r}), 64<<10)
	for r.exchange(conn, in, id) == nil {
	}
}

// errHangUp ends a connection by script.
var errHangUp = errors.New("the script hangs up")

// exchange reads one request and answers it.
func (r *recorder) exchange(conn net.Conn, in *bufio.Reader, id int) error {
	h, err := readHead(in)
	if err != nil && h == "" {
		return err
	}
	one := &request{head: h, conn: id}
	if err == nil {
		one.method, one.target = h.method(), h.target()
	}
	script := r.note(one)
	if err != nil {
		return err
	}
	if script.early() {
		return script.answer(conn, one)
	}
	if h.has("Expect", "100-continue") {
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	body, err := readBody(in, h, true)
	r.finish(one, body, err)
	if err != nil {
		return err
	}
	return script.answer(conn, one)
}

func (r *recorder) note(one *request) script {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, one)
	return r.script
}

func (r *recorder) finish(one *request, body string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one.body, one.complete = body, err == nil
}

// tap keeps the raw bytes.
type tap struct{ r *recorder }

func (t tap) Write(p []byte) (int, error) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.r.raw.Len() < mostRaw {
		t.r.raw.Write(p)
	}
	return len(p), nil
}

func TestRecorderKeepsWhatItSees(t *testing.T) {
	r := startRecorder(t)
	conn, err := net.Dial("tcp", r.address())
	require.NoError(t, err)
	defer conn.Close()

	io.WriteString(conn, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"+
		"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nyou\r\n0\r\nA: b\r\n\r\n"+
		"POST /c HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
	conn.(*net.TCPConn).CloseWrite()
	answers, err := io.ReadAll(conn)
	require.NoError(t, err)

	assert.Equal(t, 2, strings.Count(string(answers), "HTTP/1.1 200 OK\r\n"))
	seen := r.seen()
	require.Len(t, seen.requests, 3)
	for i, want := range []request{
		{target: "/a", body: "hi", complete: true},
		{target: "/b", body: "you", complete: true},
		{target: "/c", body: "half", complete: false},
	} {
		got := seen.requests[i]
		assert.Equal(t, want.target, got.target)
		assert.Equal(t, want.body, got.body)
		assert.Equal(t, want.complete, got.complete, strconv.Itoa(i))
	}
	assert.Contains(t, seen.raw, "3;e=1")

	r.forget()
	assert.Empty(t, r.seen().requests)
}
