//go:build scenario

package scenario

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// keptFor is how long the client keeps a connection that it does not use, below
// what the gate allows.
const keptFor = 30 * time.Second

// errMixed is the worst that can happen: an answer that belongs to another request.
var errMixed = errors.New("the answer of another request")

// client sends requests to a gate, each once: over HTTP/1.1 on a connection of its own
// for as long as it lasts, over HTTP/2 on one of a few trunks. It can be used
// concurrently.
type client struct {
	address string
	tls     *tls.Config   // nil: plain
	within  time.Duration // how long a visit may last

	mu   sync.Mutex
	kept []*line // the last one was used last

	trunks trunks
}

// line is one connection to the gate.
type line struct {
	net.Conn
	in   *bufio.Reader
	used time.Time
}

// visit makes one request and tells what came of it.
func (c *client) visit(q request) visit {
	v := visit{request: q, begin: time.Now()}
	v.err = c.try(q, &v)
	v.end = time.Now()
	return v
}

func (c *client) try(q request, v *visit) error {
	if q.http2 {
		return c.call(q, v)
	}
	l, err := c.line(q.fresh)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	keep, err := l.exchange(q, v, time.Now().Add(c.within))
	if err == nil && keep && !q.fresh {
		c.keep(l)
		return nil
	}
	l.Close()
	return err
}

// line returns a kept connection or a new one.
func (c *client) line(fresh bool) (*line, error) {
	if l := c.unkeep(); l != nil && !fresh {
		return l, nil
	} else if l != nil {
		c.keep(l)
	}
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	if c.tls != nil {
		conn = tls.Client(conn, c.tls) // shakes hands with the first write
	}
	return &line{Conn: conn, in: bufio.NewReader(conn)}, nil
}

func (c *client) dial() (net.Conn, error) {
	return (&net.Dialer{Timeout: c.within}).Dial("tcp", c.address)
}

func (c *client) unkeep() *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.kept) > 0 {
		l := c.kept[len(c.kept)-1]
		c.kept = c.kept[:len(c.kept)-1]
		if time.Since(l.used) < keptFor {
			return l
		}
		l.Close()
	}
	return nil
}

func (c *client) keep(l *line) {
	l.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, l)
}

// close ends the kept connections.
func (c *client) close() {
	for l := c.unkeep(); l != nil; l = c.unkeep() {
		l.Close()
	}
	c.trunks.close()
}

// exchange writes the request and reads its answer to the end. It reports whether
// the connection can be used again.
func (l *line) exchange(q request, v *visit, deadline time.Time) (keep bool, err error) {
	l.SetDeadline(deadline)
	if _, err := io.Copy(l, q.text()); err != nil {
		return false, fmt.Errorf("write: %w", err)
	}
	res, err := http.ReadResponse(l.in, &http.Request{Method: q.method()})
	if err != nil {
		return false, fmt.Errorf("read a head: %w", err)
	}
	return !res.Close, v.read(res)
}

// read takes an answer to its end.
func (v *visit) read(res *http.Response) error {
	defer res.Body.Close()
	v.status, v.backend, v.retryAfter = res.StatusCode, res.Header.Get(nameField), res.Header.Get("Retry-After")
	v.last = res.Close
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read a body: %w", err)
	}
	return v.judge(body)
}

// judge looks at a whole answer.
func (v *visit) judge(body []byte) error {
	if v.status == http.StatusOK {
		if string(body) != answerOf(v.id, v.backend, v.size) {
			return fmt.Errorf("%w: %.100q", errMixed, body)
		}
		return nil
	}
	if v.status == http.StatusConflict {
		return fmt.Errorf("%w reached the backend", errMixed)
	}
	var refusal struct{ Reason string }
	if err := json.Unmarshal(body, &refusal); err != nil {
		return fmt.Errorf("an answer of status %d that is no JSON: %w", v.status, err)
	}
	v.reason = refusal.Reason
	return nil
}
