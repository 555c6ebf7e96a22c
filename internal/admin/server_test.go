package admin

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve runs a server of h on loopback. stop ends it and returns Run's error.
func serve(t *testing.T, h http.Handler) (addr string, stop func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return ln.Addr().String(), run(h, ln)
}

func run(h http.Handler, ln net.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- NewServer(h, log.New(io.Discard, "", 0)).Run(ctx, ln) }()
	return func() error {
		cancel()
		return <-done
	}
}

func TestServesUntilItsContextEnds(t *testing.T) {
	addr, stop := serve(t, NewHandler(Options{}))
	res, err := http.Get("http://" + addr + "/livez")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, `{"status":"live"}`+"\n", string(body))

	assert.NoError(t, stop())
	_, err = net.Dial("tcp", addr)
	assert.Error(t, err, "the listener is closed")
}

func TestAnAnswerThatBeganIsFinished(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	addr, stop := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.WriteHeader(http.StatusTeapot)
	}))
	status := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + addr)
		if err != nil {
			status <- 0
			return
		}
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()

	close(release)

	assert.Equal(t, http.StatusTeapot, <-status)
	assert.NoError(t, <-stopped)
}

func TestAListenerThatFailsIsTold(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())

	err = NewServer(NewHandler(Options{}), nil).Run(t.Context(), ln)

	assert.ErrorIs(t, err, net.ErrClosed)
	assert.ErrorContains(t, err, "admin "+ln.Addr().String())
}

func TestAnOverlongHeadIsRefused(t *testing.T) {
	addr, stop := serve(t, NewHandler(Options{}))
	r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/livez", nil)
	require.NoError(t, err)
	r.Header.Set("X", strings.Repeat("x", 16<<10))
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
	assert.NoError(t, stop())
}

// pipes is a listener for connections in memory, on which time can be faked.
type pipes struct {
	conns chan net.Conn
	close func()
}

func newPipes() *pipes {
	conns := make(chan net.Conn)
	return &pipes{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// dial opens a connection and sends text on it.
func (p *pipes) dial(t *testing.T, text string) net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	_, err := io.WriteString(client, text)
	require.NoError(t, err)
	return client
}

func TestSlowConnectionsAreClosed(t *testing.T) {
	for name, c := range map[string]struct {
		sent string
		in   time.Duration
	}{
		"a head that never ends":   {"GET /livez HTTP/1.1\r\nHost:", 5 * time.Second},
		"a connection nobody uses": {"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 2 * time.Minute},
		"a body that never comes":  {"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipes()
				stop := run(NewHandler(Options{}), ln)
				began := time.Now()

				_, err := io.Copy(io.Discard, bufio.NewReader(ln.dial(t, c.sent)))

				assert.NoError(t, err)
				assert.Equal(t, c.in, time.Since(began))
				assert.NoError(t, stop())
			})
		})
	}
}

// Another process takes over, and a verb has just come to this one.
func TestARequestOfTheLastMomentIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		stop := run(NewHandler(Options{}), ln)
		c := ln.dial(t, "GET /livez HTTP/1.1\r\n")
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		synctest.Wait()
		go io.WriteString(c, "Host: localhost\r\n\r\n")
		answer, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.Contains(t, string(answer), `{"status":"live"}`)
		assert.NoError(t, <-stopped)
	})
}

func TestAnAnswerThatHangsEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, entered := newPipes(), make(chan struct{})
		stop := run(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done() // ends when the connection is closed
		}), ln)
		ln.dial(t, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-entered
		began := time.Now()

		assert.NoError(t, stop())

		assert.Equal(t, goodbye, time.Since(began))
	})
}

func TestAClientThatDoesNotReadIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, failed := newPipes(), make(chan error, 1)
		stop := run(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			failed <- err
		}), ln)
		began := time.Now()
		ln.dial(t, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

		assert.Error(t, <-failed)

		assert.Equal(t, 30*time.Second, time.Since(began))
		assert.NoError(t, stop())
	})
}
