package wirecheck

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// event is something that a listener heard.
type event bool

const (
	interim  event = false
	answered event = true
)

// listener reads answers while the client still writes.
type listener struct {
	conn     *tls.Conn
	bodiless bool
	events   chan event    // closed at the end
	done     chan struct{} // closed at the end
	heard    outcome       // to be read after the end
	answers  int           // answered events taken so far
}

// play writes the steps, until the gate has had enough.
func (l *listener) play(todo []step) {
	for _, s := range todo {
		for range s.count {
			if _, err := io.WriteString(l.conn, s.text); err != nil {
				return
			}
			if s.wait > 0 && !l.pause(s) {
				return
			}
		}
	}
}

// pause reports whether the connection is still there after it.
func (l *listener) pause(s step) bool {
	var events chan event
	if s.interim {
		events = l.events
	}
	select {
	case <-l.done:
		return false
	case e, open := <-events:
		l.count(e)
		return open
	case <-time.After(s.wait):
		return true
	}
}

func (l *listener) count(e event) {
	if e == answered {
		l.answers++
	}
}

// wait returns what was heard, once the connection ends or has been quiet.
func (l *listener) wait(p patience) outcome {
	first := time.After(p.first)
	for {
		quiet := first
		if l.answers >= p.answers {
			quiet = time.After(p.quiet)
		}
		select {
		case e, open := <-l.events:
			if !open {
				return l.heard
			}
			l.count(e)
		case <-quiet:
			l.conn.SetReadDeadline(time.Now())
			<-l.done
			return l.heard
		}
	}
}

func (l *listener) listen() {
	defer close(l.done)
	defer close(l.events)
	in := bufio.NewReader(l.conn)
	for {
		e, err := l.next(in)
		if err != nil {
			l.heard.closed = !timedOut(err)
			return
		}
		l.events <- e
	}
}

// next reads one answer. Its error ends the listening.
func (l *listener) next(in *bufio.Reader) (event, error) {
	h, err := readHead(in)
	if err != nil {
		if h != "" {
			l.heard.bad = fmt.Sprintf("half a head: %.80q", h)
		}
		return interim, err
	}
	if l.heard.bad = malformed(h); l.heard.bad != "" {
		return interim, errMalformed
	}
	if code := h.status(); code < 200 && code != 101 {
		l.heard.interim++
		return interim, nil
	}
	a := answer{head: h}
	if !l.bodiless && !bodiless(h.status()) {
		a.body, err = readBody(in, h, false)
	}
	if errors.Is(err, errMalformed) {
		l.heard.bad = err.Error()
	}
	a.truncated = err != nil && l.heard.bad == ""
	l.heard.answers = append(l.heard.answers, a)
	return answered, err
}

func bodiless(status int) bool { return status == 101 || status == 204 || status == 304 }

// token is a field name of RFC 9110 section 5.1.
var token = regexp.MustCompile("^[!#$%&'*+.^`|~0-9A-Za-z_-]+$")

// malformed says what is wrong with an answer's head, or "".
func malformed(h head) string {
	if h.status() < 100 {
		return fmt.Sprintf("status line %.80q", h.lines()[0])
	}
	for _, line := range h.lines()[1:] {
		name, _, colon := strings.Cut(line, ":")
		if !colon || !token.MatchString(name) || strings.ContainsAny(line, "\r\n\x00") {
			return fmt.Sprintf("field line %.80q", line)
		}
	}
	return ""
}

func timedOut(err error) bool {
	var failure net.Error
	return errors.As(err, &failure) && failure.Timeout()
}

func TestListenerTellsAnswersApart(t *testing.T) {
	for name, test := range map[string]struct {
		sent string
		want outcome
	}{
		"two answers": {
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No\r\n\r\n",
			outcome{answers: []answer{{head: "HTTP/1.1 200 OK\r\nContent-Length: 2", body: "ok"}, {head: "HTTP/1.1 204 No"}}, closed: true},
		},
		"interim": {
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
			outcome{answers: []answer{{head: "HTTP/1.1 204 No"}}, interim: 1, closed: true},
		},
		"cut short": {
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
			outcome{answers: []answer{{head: "HTTP/1.1 200 OK\r\nContent-Length: 9", body: "ok", truncated: true}}, closed: true},
		},
		"to the end":  {"HTTP/1.1 200 OK\r\n\r\nok", outcome{answers: []answer{{head: "HTTP/1.1 200 OK", body: "ok"}}, closed: true}},
		"no HTTP":     {"HTPP/1.1 200 OK\r\n\r\n", outcome{bad: `status line "HTPP/1.1 200 OK"`, closed: true}},
		"bare LF":     {"HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n\r\n", outcome{bad: `field line "A: 1\nB: 2"`, closed: true}},
		"half a head": {"HTTP/1.1 200 OK\r\n", outcome{bad: `half a head: "HTTP/1.1 200 OK\r\n"`, closed: true}},
		"bad chunk":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", outcome{answers: []answer{{head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"}}, bad: `malformed: chunk size "x\r\n"`, closed: true}},
	} {
		l := &listener{events: make(chan event, 16), done: make(chan struct{})}
		conn, far := net.Pipe()
		go func() {
			io.WriteString(far, test.sent)
			far.Close()
		}()
		in := bufio.NewReader(conn)
		var err error
		for err == nil {
			_, err = l.next(in)
		}
		l.heard.closed = !timedOut(err)
		assert.Equal(t, test.want, l.heard, name)
	}
}
