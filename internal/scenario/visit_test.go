//go:build scenario

package scenario

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// request is what one visit asks.
type request struct {
	id      string
	post    bool
	fresh   bool // on a connection that is used for nothing else
	http2   bool
	size    int           // of the answer, and of the body of a POST, in bytes; 0 is the usual
	chunked bool          // the answer to a GET says no length
	lasts   time.Duration // that answer or body takes so long
	waits   time.Duration // the backend thinks so long
}

func (q request) method() string {
	if q.post {
		return http.MethodPost
	}
	return http.MethodGet
}

// target is what is asked for, with what the backend has to know.
func (q request) target() string {
	path, options := "/get", ""
	if q.post {
		path = "/track"
	}
	if q.size > 0 {
		options += fmt.Sprintf("&size=%d", q.size)
	}
	if q.chunked {
		options += "&chunked=1"
	}
	if q.lasts > 0 {
		options += "&lasts=" + q.lasts.String()
	}
	if q.waits > 0 {
		options += "&waits=" + q.waits.String()
	}
	return fmt.Sprintf("%s?id=%s%s", path, q.id, options)
}

// text is the request as it is sent over HTTP/1.1.
func (q request) text() io.Reader {
	if !q.post {
		return strings.NewReader(fmt.Sprintf("GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n", q.target()))
	}
	body := eventOf(q.id, q.size)
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n",
		q.target(), len(body))
	if q.lasts > 0 {
		return io.MultiReader(strings.NewReader(head), slowly(body, q.lasts))
	}
	return strings.NewReader(head + body)
}

// visit is a request and what came of it.
type visit struct {
	request
	begin, end time.Time
	status     int    // 0: none came
	reason     string // of a refusal by the gate
	retryAfter string
	last       bool   // over HTTP/1.1: the answer said that its connection ends
	backend    string // that answered, as far as it is known
	err        error  // what kept a whole answer from coming, or that it was another's
}

// failed reports whether a client would have lost something.
func (v visit) failed() bool { return v.err != nil || v.status != http.StatusOK }

func (v visit) took() time.Duration { return v.end.Sub(v.begin) }

// spans reports whether the visit was under way at some time between these two.
func (v visit) spans(from, to time.Time) bool { return !v.begin.After(to) && !v.end.Before(from) }

func (v visit) String() string {
	protocol := "HTTP/1.1"
	if v.http2 {
		protocol = "HTTP/2"
	}
	return fmt.Sprintf("%s %s over %s at %s for %s: %d %s %s %v", v.method(), v.id, protocol, v.begin.Format("05.000"), v.took().Round(time.Millisecond),
		v.status, v.reason, v.backend, v.err)
}
