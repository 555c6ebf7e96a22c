//go:build scenario

package scenario

import (
	"fmt"
	"net/http"
	"time"
)

// request is what one visit asks.
type request struct {
	id      string
	post    bool
	fresh   bool // on a connection that is used for nothing else
	size    int  // of the answer to a GET, in bytes
	chunked bool // the answer to a GET says no length
}

// text is the request as it is sent.
func (q request) text() string {
	if q.post {
		body := eventOf(q.id)
		return fmt.Sprintf("POST /track?id=%s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
			q.id, len(body), body)
	}
	options := ""
	if q.size > 0 {
		options += fmt.Sprintf("&size=%d", q.size)
	}
	if q.chunked {
		options += "&chunked=1"
	}
	return fmt.Sprintf("GET /get?id=%s%s HTTP/1.1\r\nhost: localhost\r\n\r\n", q.id, options)
}

// visit is a request and what came of it.
type visit struct {
	request
	begin, end time.Time
	status     int    // 0: none came
	reason     string // of a refusal by the gate
	retryAfter string
	backend    string // that answered, as far as it is known
	err        error  // what kept a whole answer from coming, or that it was another's
}

// failed reports whether a client would have lost something.
func (v visit) failed() bool { return v.err != nil || v.status != http.StatusOK }

func (v visit) took() time.Duration { return v.end.Sub(v.begin) }

// spans reports whether the visit was under way at some time between these two.
func (v visit) spans(from, to time.Time) bool { return !v.begin.After(to) && !v.end.Before(from) }

func (v visit) String() string {
	method := "GET"
	if v.post {
		method = "POST"
	}
	return fmt.Sprintf("%s %s at %s for %s: %d %s %s %v", method, v.id, v.begin.Format("05.000"), v.took().Round(time.Millisecond),
		v.status, v.reason, v.backend, v.err)
}
