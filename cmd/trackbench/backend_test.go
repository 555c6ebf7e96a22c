package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startTestBackend returns the address of a backend that ends with the test.
func startTestBackend(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serveBackend(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

func TestBackendAnswersAsUvicornDoes(t *testing.T) {
	address := startTestBackend(t)
	request, err := http.NewRequest("POST", "http://"+address+"/track", strings.NewReader(eventBody()))
	require.NoError(t, err)
	request.Header.Set("X-Forwarded-For", "127.0.0.9")

	for range 2 {
		answer, err := http.DefaultClient.Do(request.Clone(t.Context()))
		require.NoError(t, err)
		request.Body, _ = request.GetBody()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())

		assert.Equal(t, 200, answer.StatusCode)
		assert.Equal(t, answerBody(), string(body))
		assert.Equal(t, "uvicorn", answer.Header.Get("Server"))
		assert.Equal(t, "application/json", answer.Header.Get("Content-Type"))
		date, err := http.ParseTime(answer.Header.Get("Date"))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), date, 5*time.Second)
	}
}

func TestBackendJudgesWhatTheProxyDid(t *testing.T) {
	event := string(requestBytes("POST", "/track", eventBody()))
	forwarded := strings.Replace(event, "Accept:", "X-Forwarded-For: 127.0.0.2\r\nAccept:", 1)
	for _, row := range []struct{ name, request, fault string }{
		{"an event", forwarded, ""},
		{"a health check", "GET /healthcheck HTTP/1.1\r\nHost: a\r\n\r\n", ""},
		{"an event without an address", event, "x-forwarded-for is missing or wrong"},
		{"the address of somebody else", strings.Replace(forwarded, "127.0.0.2", "10.0.0.1", 1), "x-forwarded-for is missing or wrong"},
		{"another path", strings.Replace(forwarded, "/track ", "/tracker ", 1), "this is not the event"},
		{"another method", "GET /track HTTP/1.1\r\nHost: a\r\n\r\n", "this is not the event"},
		{"a body cut short", string(requestBytes("POST", "/track", "{}")), "this is not the event"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, whole, err := parseMessage([]byte(row.request))
			require.NoError(t, err)
			require.True(t, whole)

			assert.Equal(t, row.fault, judge(m))
			var clock answerClock
			answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(clock.answer(m))), nil)
			require.NoError(t, err)
			assert.Equal(t, row.fault == "", answer.StatusCode == 200)
			require.NoError(t, answer.Body.Close())
		})
	}
}

func TestBackendClosesOnWhatIsNoRequest(t *testing.T) {
	conn, err := net.Dial("tcp", startTestBackend(t))
	require.NoError(t, err)
	defer conn.Close()

	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\n\r\n")

	require.NoError(t, err)
	rest, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Empty(t, rest)
}

func TestBackendEndsWithOpenConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveBackend(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /healthcheck HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	_, err = newMessageReader(conn).next()
	require.NoError(t, err)

	cancel()

	require.NoError(t, <-ended)
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestBackendVerbNamesTheAddressThatIsTaken(t *testing.T) {
	taken := startTestBackend(t)

	err := backendVerb(t.Context(), []string{"-address", taken}, streams{out: io.Discard, err: io.Discard})

	assert.ErrorContains(t, err, "backend: listen tcp "+taken)
}
