package testbed

import (
	"fmt"
	"io"
	"net"
	"strings"
)

// Act is one thing that an actor does with each request.
type Act func(*script)

// script is all acts together.
type script struct {
	status  int
	fields  strings.Builder
	body    string
	early   string // sent before the body of the request is read
	raw     string // the whole answer
	wait    <-chan struct{}
	by      func(Request) string // the raw answer to one request
	deaf    bool                 // the body of the request is not read
	silent  bool
	mute    bool
	forgets bool
	echo    bool
	final   bool // the connection ends after the answer
	oneShot bool // a second request on a connection ends it
}

func newScript(acts []Act) script {
	now := make(chan struct{})
	close(now)
	s := script{status: 200, wait: now}
	for _, act := range acts {
		act(&s)
	}
	return s
}

// Says answers with this body.
func Says(body string) Act { return func(s *script) { s.body = body } }

// Status answers with this status.
func Status(status int) Act { return func(s *script) { s.status = status } }

// Field adds a field to each answer.
func Field(name, value string) Act {
	return func(s *script) { s.fields.WriteString(name + ": " + value + "\r\n") }
}

// Raw answers with these bytes and nothing else.
func Raw(answer string) Act { return func(s *script) { s.raw = answer } }

// By answers each request with the bytes that answer returns; "" is the answer of
// the other acts.
func By(answer func(Request) string) Act { return func(s *script) { s.by = answer } }

// Early sends these bytes when the head of a request is there, before its body.
func Early(answer string) Act { return func(s *script) { s.early = answer } }

// Deaf never reads the body of a request.
func Deaf() Act { return func(s *script) { s.deaf = true } }

// Hangs never answers.
func Hangs() Act { return func(s *script) { s.silent = true } }

// Forgets keeps no requests for Next.
func Forgets() Act { return func(s *script) { s.forgets = true } }

// CutsOff ends the connection instead of an answer.
func CutsOff() Act { return func(s *script) { s.mute = true } }

// Echoes says again what it hears after the answer, until the connection ends.
func Echoes() Act { return func(s *script) { s.echo = true } }

// Waits answers when ready is closed.
func Waits(ready <-chan struct{}) Act { return func(s *script) { s.wait = ready } }

// ClosesAfter ends the connection after each answer, without having said so.
func ClosesAfter() Act { return func(s *script) { s.final = true } }

// ClosesWhenReused resets a connection when a second request comes on it: what a
// backend looks like that has closed an idle connection in that moment.
func ClosesWhenReused() Act { return func(s *script) { s.oneShot = true } }

// answer plays the script's answer; false ends the connection.
func (s *script) answer(nc net.Conn, from io.Reader, req Request) bool {
	switch {
	case s.silent:
		io.Copy(io.Discard, nc) //nolint:errcheck // until the gate gives up
		return false
	case s.oneShot && req.Reused:
		nc.(*net.TCPConn).SetLinger(0) //nolint:errcheck // as if nothing had been read
		return false
	case s.mute:
		return false
	}
	_, err := io.WriteString(nc, s.text(req))
	if s.echo {
		io.Copy(nc, from) //nolint:errcheck // until either side ends
		return false
	}
	return err == nil && !s.final && req.Whole
}

func (s *script) text(req Request) string {
	if s.by != nil {
		if answer := s.by(req); answer != "" {
			return answer
		}
	}
	if s.raw != "" || s.early != "" {
		return s.raw
	}
	head := fmt.Sprintf("HTTP/1.1 %d Word\r\n%scontent-length: %d\r\n\r\n", s.status, s.fields.String(), len(s.body))
	if strings.HasPrefix(req.Line, "HEAD ") {
		return head
	}
	return head + s.body
}
