package wirecheck

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// event is something that a listener heard.
type event bool

const (
	interim  event = false
	answered event = true
)

// ear reads what a gate says, in one protocol.
type ear interface {
	// next reads until there is an event. Its error ends the listening.
	next() (event, error)
}

// listener reads answers while the client still writes.
type listener struct {
	conn    *tls.Conn
	ear     ear
	events  chan event    // closed at the end
	done    chan struct{} // closed at the end
	heard   *outcome      // the ear's; to be read after the end
	answers int           // answered events taken so far
}

func newListener(conn *tls.Conn, c clientCase) *listener {
	l := &listener{conn: conn, heard: &outcome{}, events: make(chan event, 1024), done: make(chan struct{})}
	if c.Protocol == http2Protocol {
		l.ear = newStreams(conn, c, l.heard)
	} else {
		l.ear = &answers{in: bufio.NewReader(conn), bodiless: c.HeadResponse, heard: l.heard}
	}
	return l
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
				return *l.heard
			}
			l.count(e)
		case <-quiet:
			l.conn.SetReadDeadline(time.Now())
			<-l.done
			return *l.heard
		}
	}
}

func (l *listener) listen() {
	defer close(l.done)
	defer close(l.events)
	for {
		e, err := l.ear.next()
		if err != nil {
			l.heard.closed = !timedOut(err)
			return
		}
		l.events <- e
	}
}

func timedOut(err error) bool {
	var failure net.Error
	return errors.As(err, &failure) && failure.Timeout()
}
