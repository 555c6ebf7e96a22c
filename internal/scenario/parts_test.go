//go:build scenario

package scenario

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// A scenario proves something only if its parts would notice what it is about.

// receives is an address where each connection is received in the same way.
func receives(t *testing.T, each func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			each(conn)
		}
	}()
	return l.Addr().String()
}

// says is an address where everybody hears the same and is hung up on.
func says(t *testing.T, text string) string {
	t.Helper()
	return receives(t, func(conn net.Conn) {
		conn.Read(make([]byte, 64<<10)) // one read has the whole request
		io.WriteString(conn, text)
		conn.Close()
	})
}

func TestAVisitTellsWhatCameOfIt(t *testing.T) {
	well := fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Backend: b1\r\nContent-Length: %d\r\n\r\n", len(answerOf("v-1", "b1", 0)))
	for name, test := range map[string]struct {
		said   string
		want   error
		reason string
		failed bool
	}{
		"well":                      {said: well + answerOf("v-1", "b1", 0)},
		"another's":                 {said: well + answerOf("v-2", "b1", 0), want: errMixed, failed: true},
		"by another":                {said: well + answerOf("v-1", "b2", 0), want: errMixed, failed: true},
		"cut":                       {said: well + `{"id": "v-1"`, want: io.ErrUnexpectedEOF, failed: true},
		"nothing":                   {want: io.ErrUnexpectedEOF, failed: true},
		"refused":                   {said: "HTTP/1.1 503 No\r\nContent-Length: 24\r\n\r\n" + `{"reason": "no_backend"}`, reason: "no_backend", failed: true},
		"mixed up on the way there": {said: "HTTP/1.1 409 No\r\nContent-Length: 0\r\n\r\n", want: errMixed, failed: true},
	} {
		c := &client{address: says(t, test.said), within: time.Minute}
		v := c.visit(request{id: "v-1"})
		assert.ErrorIs(t, v.err, test.want, name)
		assert.Equal(t, test.failed, v.failed(), "%s: %s", name, v)
		assert.Equal(t, test.reason, v.reason, name)
	}
}

func TestABackendKnowsWhatBelongsToAnID(t *testing.T) {
	j := newJournal(t)
	server, err := role{Name: "b1", Journal: j.path}.server()
	require.NoError(t, err)
	for target, body := range map[string]string{
		"/track?id=v-1":           eventOf("v-1", 0),
		"/track?id=v-2":           eventOf("v-3", 0),
		"/track?id=v-4":           eventOf("v-4", 0)[:900],
		"/track?id=v-5&size=5000": eventOf("v-5", 0),
	} {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequest("POST", target, strings.NewReader(body)))
		assert.Equal(t, target == "/track?id=v-1", w.Code == 200, target)
	}
	assert.Equal(t, map[string]int{"v-1": 1}, j.delivered(t))
}

func TestABackendAnswersWhatTheClientWants(t *testing.T) {
	server, err := role{Name: "b1", Journal: newJournal(t).path}.server()
	require.NoError(t, err)
	s := httptest.NewServer(server.Handler)
	defer s.Close()
	c := &client{address: s.Listener.Addr().String(), within: time.Minute}
	defer c.close()
	for _, q := range []request{{post: true}, {}, {size: 100_000}, {size: 100_000, chunked: true}, {fresh: true},
		{post: true, size: 50_000, lasts: 3 * part}, {size: 50_000, lasts: 3 * part}, {waits: 3 * part}} {
		q.id = "v-000001"
		v := c.visit(q)
		assert.False(t, v.failed(), "%s", v)
		assert.Equal(t, "b1", v.backend)
		assert.GreaterOrEqual(t, v.took(), q.lasts+q.waits, "%s", v)
	}
	assert.Len(t, c.kept, 1, "connections")
}

func TestManyRequestsShareATrunk(t *testing.T) {
	server, err := role{Name: "b1", Journal: newJournal(t).path}.server()
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(server.Handler)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := &client{address: s.Listener.Addr().String(), within: time.Minute, tls: s.Client().Transport.(*http.Transport).TLSClientConfig}
	c.tls.ServerName = "example.com" // of whom the server has a certificate
	defer c.close()
	for n := range 40 {
		q := request{id: fmt.Sprintf("v-%d", n), http2: true, post: n%2 == 0, fresh: n%5 == 0, size: n % 3 * 10_000, lasts: time.Duration(n%4/3) * part}
		v := c.visit(q)
		assert.False(t, v.failed(), "%s", v)
		assert.Equal(t, "b1", v.backend)
	}
	all := c.trunks.all()
	assert.Len(t, all, keptTrunks, "connections")

	for _, one := range all {
		one.SetDoNotReuse()
	}
	r, err := http.NewRequest(http.MethodGet, "https://localhost/get?id=v-1", nil)
	require.NoError(t, err)
	_, err = all[0].RoundTrip(r)
	require.EqualError(t, err, notUsable)
	v := c.visit(request{id: "v-1", http2: true})
	assert.False(t, v.failed(), "a trunk that can not be used was used: %s", v)
}

// goesAway is an address where every HTTP/2 connection is left when the first request
// has come, with word that it was not looked at.
func goesAway(t *testing.T) string {
	t.Helper()
	return receives(t, func(conn net.Conn) {
		_, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		f := http2.NewFramer(conn, conn)
		f.WriteSettings()
		for head := false; err == nil && !head; {
			var frame http2.Frame
			frame, err = f.ReadFrame()
			_, head = frame.(*http2.HeadersFrame)
		}
		f.WriteGoAway(0, http2.ErrCodeNo, nil)
	})
}

func TestARequestThatWasNotLookedAtHasFailed(t *testing.T) {
	c := &client{address: goesAway(t), within: time.Minute}
	defer c.close()
	v := c.visit(request{id: "v-1", http2: true})
	assert.True(t, v.failed())
	assert.Equal(t, "not looked at", v.loss(), "%s", v)
}

func TestALoadDoesNotWaitForAnswers(t *testing.T) {
	c := &client{address: says(t, ""), within: time.Minute}
	release := make(chan struct{})
	var begun int
	l := startShaped(c, "v", 1000, func(n int) request {
		if begun++; begun == 500 {
			close(release)
		}
		return mixed(n)
	})
	<-release
	r := l.stop()
	assert.GreaterOrEqual(t, len(r), 500)
	assert.Len(t, r.failed(), len(r))
	assert.InDelta(t, .6, float64(len(r.posts()))/float64(len(r)), .02, "posts")
	assert.InDelta(t, .1, float64(len(r.only(func(v visit) bool { return v.fresh })))/float64(len(r)), .02, "on new connections")
}

func TestAReportFindsWhatIsAskedFor(t *testing.T) {
	begin := time.Unix(1_000, 0)
	var r report
	for i := range 100 {
		at := begin.Add(time.Duration(i) * time.Second)
		r = append(r, visit{begin: at, end: at.Add(time.Duration(i+1) * time.Millisecond), status: 200})
	}
	r[99].err = errors.New("lost")
	assert.Equal(t, 50*time.Millisecond, r.quantile(.5))
	assert.Equal(t, 100*time.Millisecond, r.quantile(1))
	assert.Zero(t, report(nil).quantile(.5))
	assert.Len(t, r.began(begin.Add(time.Second), begin.Add(3*time.Second)), 2)
	assert.Len(t, r.failed(), 1)
	assert.True(t, r[99].spans(r[99].end, r[99].end.Add(time.Hour)))
	assert.False(t, r[99].spans(r[99].end.Add(1), r[99].end.Add(time.Hour)))
}

func TestAddressesAreFoundInTheKernel(t *testing.T) {
	assert.Equal(t, "0100007F:0050", kernelAddress(t, "127.0.0.1:80"))
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	address := l.Addr().String()
	assert.Zero(t, established(t, address))
	conn, err := net.Dial("tcp4", address)
	require.NoError(t, err)
	defer conn.Close()
	assert.Equal(t, 1, established(t, address))
}
