package supervisor

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func serves() Options {
	return Options{
		Ready: func() error { return nil }, Status: func() string { return "serving" },
		Probe: func(context.Context) error { return nil }, Stop: stops, Log: zerolog.Nop(),
	}
}

func TestMessagesReachTheSocketOfTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", strconv.Itoa(int(time.Minute/time.Microsecond)))
	s := New(serves())
	assert.Equal(t, time.Minute, s.watchdog)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go s.Run(ctx, ctx)
	text := make([]byte, 1000)
	for _, want := range []string{"READY=1\nSTATUS=serving", "WATCHDOG=1"} {
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, err := socket.Read(text)
		require.NoError(t, err)
		assert.Equal(t, want, string(text[:n]))
	}
}

func TestWithoutAManagerNothingIsDone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "1000")
	o := serves()
	o.Ready = func() error { assert.Fail(t, "it was asked"); return nil }
	s := New(o)
	s.Reloading()
	s.Reloaded(nil)
	s.Run(t.Context(), t.Context()) // and returns
}

func TestAWatchdogOfAnotherProcessIsNotOurs(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/nowhere")
	t.Setenv("WATCHDOG_USEC", "1000")
	t.Setenv("WATCHDOG_PID", "1")
	assert.Zero(t, New(serves()).watchdog)
}
