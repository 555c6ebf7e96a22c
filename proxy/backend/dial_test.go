package backend

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// option asks the kernel.
func option(t *testing.T, c *Conn, level, name int) (n int) {
	t.Helper()
	var err error
	require.NoError(t, c.raw.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), level, name) }))
	require.NoError(t, err)
	return n
}

// A host that lost its power says nothing any more. Ten seconds are enough to
// know, for an idle connection as for one that waits for an answer.
func TestAHostThatVanishesIsNoticed(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		c := dial(t, backendThat(t, patient, saying(answer)))
		assert.Equal(t, 1, option(t, c, unix.SOL_SOCKET, unix.SO_KEEPALIVE))
		idle := option(t, c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
		interval := option(t, c, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)
		count := option(t, c, unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
		assert.Equal(t, []int{3, 2, 3}, []int{idle, interval, count})
		assert.Equal(t, 9000, option(t, c, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT))
	})
}

// TCP counts a backend that takes nothing for a while as gone. One that has been
// sent a large body may think about it for as long as it may about the answer.
func TestALargeUploadHasTheTimeOfAnAnswer(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		opts := patient
		opts.Response = 30 * time.Second
		k := backendThat(t, opts, saying(answer))
		c := dial(t, k)
		require.NoError(t, c.Streaming([]byte(ask), time.Now()))
		assert.Equal(t, 30000, option(t, c, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT))
		require.NoError(t, c.Write([]byte(event)))
		c.Sent()
		_, err := readAll(c, "POST")
		require.NoError(t, err)
		k.Put(c, time.Now())
		require.Equal(t, 1, k.Len())
		assert.Equal(t, 9000, option(t, c, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT))
	})
}

// The kernel gives up on a backend that takes nothing: a wait has an end without
// a deadline of ours. It tells only one of the two that wait.
func TestTheKernelGivesUp(t *testing.T) {
	for name, use := range map[string]func(*testing.T, *Conn) error{
		"Exchange": func(_ *testing.T, c *Conn) error { return c.Exchange([]byte(ask), large, time.Now()) },
		"Streaming": func(t *testing.T, c *Conn) error {
			require.NoError(t, c.Streaming([]byte(ask), time.Now()))
			c.setPatience(300 * time.Millisecond)
			failure(t, c.Write(large), Timeout)
			_, err := c.ReadHead([]byte("POST"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, backendThat start) {
				k := backendThat(t, Options{Connect: 5 * time.Second, Response: time.Minute, Idle: time.Minute}, once(unread))
				c := kept(t, k)
				c.setPatience(300 * time.Millisecond)
				err := use(t, c)
				assert.False(t, failure(t, err, Timeout).Unread)
				assert.ErrorIs(t, err, syscall.ETIMEDOUT)
				assert.False(t, MayRepeat(err))
			})
		})
	}
}

func TestKindsOfErrors(t *testing.T) {
	read := func(errno syscall.Errno) error {
		return &net.OpError{Op: "read", Err: os.NewSyscallError("read", errno)}
	}
	for _, test := range []struct {
		err  error
		want Kind
	}{
		{read(syscall.ETIMEDOUT), Timeout},
		{read(syscall.EHOSTUNREACH), Timeout}, // instead of ETIMEDOUT, when a router said why
		{read(syscall.ENETUNREACH), Timeout},
		{fmt.Errorf("below TLS: %w", syscall.ETIMEDOUT), Timeout},
		{os.ErrDeadlineExceeded, Timeout},
		{read(syscall.ECONNRESET), Closed},
		{read(syscall.EPIPE), Closed},
		{net.ErrClosed, Closed},
	} {
		assert.Equal(t, test.want, kindOf(test.err), "%v", test.err)
	}
}

// What a vanished host was sent may have been acted upon.
func TestAVanishedHostIsNoReuseRace(t *testing.T) {
	k := backendThat(t, patient, saying(answer))
	c := kept(t, k)
	for _, errno := range []syscall.Errno{syscall.ETIMEDOUT, syscall.EHOSTUNREACH} {
		err := c.failed(errno)
		assert.False(t, failure(t, err, Timeout).Unread)
		assert.False(t, MayRepeat(err))
	}
}

func TestServerNameOfAnAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"10.0.0.1:443": "10.0.0.1", "[::1]:443": "::1", "be.example:443": "be.example", "odd": "odd",
	} {
		assert.Equal(t, want, New(addr, patient).serverName())
	}
	assert.Equal(t, "other.example", New("10.0.0.1:443", Options{ServerName: "other.example"}).serverName())
}
