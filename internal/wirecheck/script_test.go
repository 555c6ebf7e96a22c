package wirecheck

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// action is how a backend misbehaves.
type action string

const (
	wellBehaved   action = ""
	keeps         action = "keep"          // answers with the script's bytes and waits for more
	closes        action = "close"         // the same, and hangs up
	respondsEarly action = "respond_early" // before it has read the body, and hangs up
	hangs         action = "hang"          // for longer than the gate waits
	neverEnds     action = "endless_chunks_then_client_disconnect"
)

func actions() []action { return []action{keeps, closes, respondsEarly, hangs, neverEnds} }

// script says what the recorder answers.
type script struct {
	action action
	raw    string
}

func (s script) early() bool { return s.action == respondsEarly }

// answer plays the script; an error ends the connection.
func (s script) answer(conn net.Conn, to *request) error {
	switch s.action {
	case wellBehaved:
		return answerWell(conn, to.method)
	case keeps:
		return say(conn, s.raw)
	case closes:
		return errors.Join(say(conn, s.raw), errHangUp)
	case respondsEarly:
		return errors.Join(say(conn, s.raw), linger(100*time.Millisecond))
	case hangs:
		return errors.Join(say(conn, s.raw), linger(4*time.Second))
	default:
		return errors.Join(say(conn, s.raw), chatter(conn))
	}
}

func answerWell(conn net.Conn, method string) error {
	if method == "HEAD" {
		return say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
	}
	return say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

func say(conn net.Conn, text string) error {
	_, err := io.WriteString(conn, text)
	return err
}

// linger holds the connection open and silent before it ends.
func linger(d time.Duration) error {
	<-time.After(d)
	return errHangUp
}

// chatter sends chunks until nobody listens any more, for a second at most.
func chatter(conn net.Conn) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 50 {
		if err := say(conn, "5\r\nhello\r\n"); err != nil {
			return err
		}
		<-tick.C
	}
	return errHangUp
}

func TestScriptsArePlayed(t *testing.T) {
	for _, test := range []struct {
		script script
		want   string
	}{
		{script{}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{script{closes, "HTTP/1.1 2"}, "HTTP/1.1 2"},
		{script{respondsEarly, "HTTP/1.1 413 No\r\n\r\n"}, "HTTP/1.1 413 No\r\n\r\n"},
		{script{keeps, "garbage"}, "garbage"},
	} {
		r := startRecorder(t)
		r.play(test.script)
		conn, err := net.Dial("tcp", r.address())
		require.NoError(t, err)
		require.NoError(t, say(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		got, err := io.ReadAll(conn)
		require.NoError(t, err, test.script.action)
		assert.Equal(t, test.want, string(got), test.script.action)
		conn.Close()
	}
}
