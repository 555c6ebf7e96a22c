package wirecheck

import (
	"crypto/tls"
	"fmt"
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
	stream    uint32 // 0 in HTTP/1.1
	truncated bool
}

// outcome is everything that the client saw of one connection.
type outcome struct {
	answers []answer
	interim int    // answers of the 1xx kind
	closed  bool   // by the gate
	bad     string // what could not be read as HTTP

	// Of HTTP/2.
	asked  uint32            // the stream that the case is about
	resets map[uint32]string // by the gate, with their codes
	goaway string            // the code that ended the connection, unless it was no error
}

// status is that of the answer to what was asked, which in HTTP/1.1 is the first, or
// what there was instead of one.
func (o outcome) status() int {
	_, reset := o.resets[o.asked]
	switch status := o.answered(o.asked); {
	case status != noAnswer:
		return status
	case o.closed || reset || o.goaway != "":
		return closedSilently
	}
	return noAnswer
}

// answered returns the status of the first answer on a stream.
func (o outcome) answered(stream uint32) int {
	for _, a := range o.answers {
		if a.stream == stream {
			return a.head.status()
		}
	}
	return noAnswer
}

// codes are those by which the gate refused what was asked.
func (o outcome) codes() []string {
	var all []string
	if o.goaway != "" {
		all = append(all, o.goaway)
	}
	if code, reset := o.resets[o.asked]; reset {
		all = append(all, code)
	}
	return all
}

func (o outcome) statuses() []int {
	var all []int
	for _, a := range o.answers {
		all = append(all, a.head.status())
	}
	return all
}

func (o outcome) bodies() []string {
	var all []string
	for _, a := range o.answers {
		all = append(all, a.body)
	}
	return all
}

// String tells what there was, in few words.
func (o outcome) String() string {
	count, size := map[int]int{}, 0
	for _, a := range o.answers {
		count[a.head.status()]++
		size += len(a.body)
	}
	return fmt.Sprintf("answers %v with %d bytes, %d resets, goaway %q, closed %t", count, size, len(o.resets), o.goaway, o.closed)
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
	todo, err := c.steps()
	if err != nil {
		return outcome{}, err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(p.first + 5*time.Second)); err != nil {
		return outcome{}, err
	}
	opening, err := c.opening()
	if err != nil {
		return outcome{}, err
	}
	io.WriteString(conn, opening) // an error comes again when there is nothing to hear
	l := newListener(conn, c)
	if c.Deaf {
		l.play(todo)
		go l.listen()
	} else {
		go l.listen()
		l.play(todo)
	}
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
