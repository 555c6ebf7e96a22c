package backend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// used returns so many connections of k, each after one exchange.
func used(t *testing.T, k *Conns, n int) (conns []*Conn) {
	t.Helper()
	for range n {
		c := dial(t, k)
		_, err := talk(c, "POST")
		require.NoError(t, err)
		conns = append(conns, c)
	}
	return conns
}

func TestTheOneUsedLastIsTheFirst(t *testing.T) {
	k := backendThat(t, patient, saying(answer))
	c := used(t, k, 3)
	now := time.Now()
	for i := range c {
		k.Put(c[i], now.Add(time.Duration(i)))
	}
	for i := range c {
		assert.Same(t, c[2-i], k.Kept(now))
	}
	assert.Nil(t, k.Kept(now))
	assert.True(t, c[0].Reused())
}

func TestIdleLimit(t *testing.T) {
	ended := make(chan struct{}, 2)
	k := backendThat(t, patient, once(func(c far) {
		untilEnd(c)
		ended <- struct{}{}
	}))
	now := time.Now()
	c := used(t, k, 2)
	k.Put(c[0], now)
	k.Put(c[1], now)
	require.Same(t, c[1], k.Kept(now.Add(patient.Idle)), "as old as it may be")
	c[1].done, c[1].sent = true, true
	k.Put(c[1], now)

	assert.Nil(t, k.Kept(now.Add(patient.Idle+1)))

	assert.Zero(t, k.Len(), "the older one is too old as well")
	<-ended
	<-ended
}

func TestSweepClosesOnlyTheOld(t *testing.T) {
	ended := make(chan struct{}, 3)
	k := backendThat(t, patient, once(func(c far) {
		untilEnd(c)
		ended <- struct{}{}
	}))
	now := time.Now()
	for i, c := range used(t, k, 3) {
		k.Put(c, now.Add(time.Duration(i)*time.Second))
	}
	for seconds, left := range []int{3, 2, 1, 0, 0} {
		k.Sweep(now.Add(patient.Idle + time.Duration(seconds)*time.Second))
		require.Equal(t, left, k.Len())
		if left < 3 && seconds < 4 {
			<-ended
		}
	}
}

func TestNotMoreThanMaxKept(t *testing.T) {
	k := backendThat(t, patient, saying(answer))
	c := used(t, k, maxKept+1)
	for i := range c {
		k.Put(c[i], time.Now())
	}
	assert.Equal(t, maxKept, k.Len())
	_, err := c[maxKept].tcp.Write([]byte("x"))
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestCloseWhileInUse(t *testing.T) {
	k := backendThat(t, patient, saying(answer))
	idle, busy := used(t, k, 1)[0], dial(t, k)
	k.Put(idle, time.Now())

	k.Close()

	assert.Nil(t, k.Kept(time.Now()))
	_, err := talk(busy, "POST")
	require.NoError(t, err, "one in use is not disturbed")
	k.Put(busy, time.Now())
	assert.Zero(t, k.Len())
	_, err = busy.tcp.Write([]byte("x"))
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	l.Close()

	_, err = New(addr, patient).Dial(t.Context())

	result := failure(t, err, ConnectFailed)
	assert.Equal(t, reason.ConnectFailed, result.Reason())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Equal(t, "backend "+addr+": connect: connection refused", err.Error())
	assert.True(t, MayRepeat(err))
}

// fullListener listens and takes nobody: its queue is full.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func TestABackendThatDoesNotAccept(t *testing.T) {
	opts := Options{Connect: 100 * time.Millisecond, Response: time.Second, Idle: time.Second}
	k := New(fullListener(t), opts)
	var err error
	for range 5 { // the first ones fill the queue
		var c *Conn
		start := time.Now()
		if c, err = k.Dial(t.Context()); err != nil {
			assert.WithinDuration(t, start.Add(opts.Connect), time.Now(), soon)
			break
		}
		t.Cleanup(c.Close)
	}
	failure(t, err, ConnectFailed)
	assert.True(t, MayRepeat(err))
}

// A response must never reach the exchange of another.
func TestManyAtOnce(t *testing.T) {
	k := backendThat(t, patient, func(c far) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(req.URL.Path), req.URL.Path)
		}
	})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 100 {
				path := fmt.Sprintf("/%d/%s", i, strings.Repeat("x", n))
				got, err := get(k, path)
				assert.NoError(t, err)
				assert.Equal(t, path, got)
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, k.Len(), 8)
}

// get asks for path on a kept connection or a new one.
func get(k *Conns, path string) (string, error) {
	c := k.Kept(time.Now())
	if c == nil {
		var err error
		if c, err = k.Dial(context.Background()); err != nil {
			return "", err
		}
	}
	if err := c.Exchange([]byte("GET "+path+" HTTP/1.1\r\nhost: a\r\n\r\n"), nil, time.Now()); err != nil {
		return "", err
	}
	r, err := readAll(c, "GET")
	k.Put(c, time.Now())
	return r.body, err
}

func TestMayRepeat(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{ErrStale, true},
		{fmt.Errorf("attempt: %w", ErrStale), true},
		{&ResultError{Kind: ConnectFailed}, true},
		{&ResultError{Kind: Closed, Unread: true}, true},
		{&ResultError{Kind: Closed}, false},
		{&ResultError{Kind: Timeout}, false},
		{&ResultError{Kind: Garbled}, false},
		{io.EOF, false},
		{nil, false},
	} {
		assert.Equal(t, test.want, MayRepeat(test.err), "%#v", test.err)
	}
}

func TestReasons(t *testing.T) {
	for kind, want := range map[Kind]reason.Reason{
		ConnectFailed: reason.ConnectFailed, Closed: reason.BackendClosed,
		Timeout: reason.BackendTimeout, Garbled: reason.BackendMalformed,
	} {
		err := &ResultError{Kind: kind, Addr: "10.0.0.1:80", Err: io.ErrUnexpectedEOF}
		assert.Equal(t, want, err.Reason())
		assert.EqualError(t, err, "backend 10.0.0.1:80: unexpected EOF")
		assert.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	}
}

// A backend that was taken out is asked on new connections when it is back.
func TestPurgeClosesWhatIsKeptAndNoMore(t *testing.T) {
	k := backendThat(t, patient, saying(answer))
	idle, busy := used(t, k, 1)[0], dial(t, k)
	k.Put(idle, time.Now())

	k.Purge()

	assert.Zero(t, k.Len())
	_, err := idle.tcp.Write([]byte("x"))
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = talk(busy, "POST")
	require.NoError(t, err, "one in use is not disturbed")
	k.Put(busy, time.Now())
	assert.Same(t, busy, k.Kept(time.Now()))
}

// Some servers say 408 on an idle connection before they close it. It may cross
// with a request, and is no answer to it.
func TestATimeoutThatIsAnnouncedAnswersNothing(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, once(func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
		}))
		_, err := talk(kept(t, k), "POST")
		assert.True(t, failure(t, err, Closed).Unread)
	})
}

func TestA408ForARequestIsAnAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"on a new connection": "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
		"that stays":          "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
	} {
		k := backendThat(t, patient, saying(answer, text))
		c := kept(t, k)
		if name == "on a new connection" {
			c = dial(t, backendThat(t, patient, saying(text)))
		}
		r, err := talk(c, "POST")
		require.NoError(t, err, name)
		assert.Equal(t, 408, r.status, name)
	}
}

// What a host in between resets long after the request was read may have been done.
func TestAnEndThatComesLateIsNoRace(t *testing.T) {
	k := backendThat(t, patient, once(func(c far) {
		hear(c)
		reset(c)
	}))
	c := kept(t, k)
	err := c.Exchange([]byte(ask), []byte(event), time.Now().Add(-2*raceTime))
	if err == nil {
		_, err = readAll(c, "POST")
	}
	assert.False(t, failure(t, err, Closed).Unread)
}

// A port is not kept busy for a minute because the backend wanted the end.
func TestWhoAsksForTheEndHasItAtOnce(t *testing.T) {
	ended := make(chan error, 1)
	k := backendThat(t, patient, func(c far) {
		hear(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	c := dial(t, k)
	_, err := talk(c, "POST")
	require.NoError(t, err)
	k.Put(c, time.Now())
	assert.ErrorIs(t, <-ended, syscall.ECONNRESET, "no TIME_WAIT on our side")
}

// A resolver that is ill does not take a backend away that was found before.
func TestANameThatCannotBeLookedUpLeadsWhereItLed(t *testing.T) {
	addr := listening(t, func(tcp *net.TCPConn) { saying(answer)(tcp) })
	k := New("be.invalid:80", Options{Connect: time.Second, Response: time.Second, Idle: time.Second}).until(t)
	_, err := k.Dial(t.Context())
	failure(t, err, ConnectFailed)
	assert.Nil(t, k.last.Load(), "it never led anywhere")

	k.last.Store(&lead{addr: addr})
	for range 2 {
		c := dial(t, k)
		_, err := talk(c, "POST")
		require.NoError(t, err)
	}
	assert.True(t, time.Now().Before(k.last.Load().until), "not looked up again at once")
}

func TestOnlyNamesAreLookedUp(t *testing.T) {
	for addr, want := range map[string]bool{"10.0.0.1:80": false, "[::1]:80": false, "be.example:80": true, "localhost:80": true} {
		assert.Equal(t, want, named(addr), addr)
	}
}
