package wirecheck

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// answers is the ear for HTTP/1.1.
type answers struct {
	in       *bufio.Reader
	bodiless bool
	heard    *outcome
}

// next reads one answer.
func (a *answers) next() (event, error) {
	h, err := readHead(a.in)
	if err != nil {
		if h != "" {
			a.heard.bad = fmt.Sprintf("half a head: %.80q", h)
		}
		return interim, err
	}
	if a.heard.bad = malformed(h); a.heard.bad != "" {
		return interim, errMalformed
	}
	if code := h.status(); code < 200 && code != 101 {
		a.heard.interim++
		return interim, nil
	}
	one := answer{head: h}
	if !a.bodiless && !bodiless(h.status()) {
		one.body, err = readBody(a.in, h, false)
	}
	if errors.Is(err, errMalformed) {
		a.heard.bad = err.Error()
	}
	one.truncated = err != nil && a.heard.bad == ""
	a.heard.answers = append(a.heard.answers, one)
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

func TestAnswersAreToldApart(t *testing.T) {
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
		conn, far := net.Pipe()
		go func() {
			io.WriteString(far, test.sent)
			far.Close()
		}()
		heard := outcome{}
		ear := &answers{in: bufio.NewReader(conn), heard: &heard}
		var err error
		for err == nil {
			_, err = ear.next()
		}
		heard.closed = !timedOut(err)
		assert.Equal(t, test.want, heard, name)
	}
}
