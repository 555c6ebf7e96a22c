package wirecheck

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answer is one final answer as the client saw it.
type answer struct {
	head      head
	body      string
	truncated bool
}

// outcome is everything that the client saw of one connection.
type outcome struct {
	answers []answer
	interim int    // answers of the 1xx kind
	closed  bool   // by the gate
	bad     string // what could not be read as HTTP
}

// status is the first answer's, or what there was instead of one.
func (o outcome) status() int {
	switch {
	case len(o.answers) > 0:
		return o.answers[0].head.status()
	case o.closed:
		return closedSilently
	}
	return noAnswer
}

func (o outcome) statuses() []int {
	var all []int
	for _, a := range o.answers {
		all = append(all, a.head.status())
	}
	return all
}

// patience is how long a client waits.
type patience struct {
	answers int           // that it hopes for
	first   time.Duration // for those
	quiet   time.Duration // after them, for what should not come
}

// converse does steps on conn and reads until nothing more comes. It closes conn.
func converse(conn *tls.Conn, c clientCase, p patience) (outcome, error) {
	defer conn.Close()
	todo, err := steps(c.Raw)
	if err != nil {
		return outcome{}, err
	}
	l := &listener{conn: conn, bodiless: c.HeadResponse, events: make(chan event, 1024), done: make(chan struct{})}
	go l.listen()
	if err := conn.SetWriteDeadline(time.Now().Add(p.first + 5*time.Second)); err != nil {
		return outcome{}, err
	}
	l.play(todo)
	if c.HalfClose {
		conn.CloseWrite() // an error shows as an answer that does not come
	}
	return l.wait(p), nil
}

func TestConverseWaitsForWhatShouldNotCome(t *testing.T) {
	g := plainGate(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		<-time.After(20 * time.Millisecond)
		io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		io.Copy(io.Discard, conn)
	})
	conn, err := g.dial(clientCase{})
	require.NoError(t, err)

	o, err := converse(conn, clientCase{Raw: `GET / HTTP/1.1\r\n\r\n`}, patience{answers: 1, first: time.Second, quiet: 300 * time.Millisecond})

	require.NoError(t, err)
	assert.Equal(t, []int{200, 404}, o.statuses())
	assert.False(t, o.closed)
}
