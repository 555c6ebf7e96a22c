package proxy

import (
	"net/http"
	"strconv"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

// refuse turns the error that ended an exchange into the client's answer. It is
// the only place where that happens.
func (g *Gate) refuse(x *exchange, err error) {
	r := reasonOf(err)
	x.reason = r
	switch {
	case r == reason.ClientClosed, x.answered, r == reason.ClientNotAllowed && x.listener.drop:
		if x.status == 0 {
			x.status = r.Status()
		}
		x.stream.Abort(r) // nobody to tell, or only by a visible end
	default:
		g.answer(x, r)
	}
}

// answer writes an answer of the gate itself: JSON, readable for a page.
func (g *Gate) answer(x *exchange, r reason.Reason) {
	x.answered = true
	body := appendAnswer(x.out[:0], r)
	x.out = body
	x.open(r.Status())
	x.stream.Field("date", time.Now().UTC().AppendFormat(nil, http.TimeFormat))
	x.stream.Field("content-type", valueJSON)
	x.ownFields(r)
	x.stream.Frame(int64(len(body)))
	if string(x.req.Method) != "HEAD" {
		x.count(len(body))
	}
	if err := x.stream.Finish(body, nil); err != nil {
		x.stream.Abort(reason.ClientClosed)
	}
}

// ownFields adds the fields of an answer that no backend gave. A page must be
// able to read why it was refused, also on a listener whose backends do CORS.
func (x *exchange) ownFields(r reason.Reason) {
	x.corsFields()
	x.hstsField()
	switch r {
	case reason.MethodNotExposed:
		x.stream.Field("allow", []byte(x.allowed()))
	case reason.ConnectFailed, reason.NoBackend, reason.QueueFull, reason.Draining, reason.RateLimited:
		x.stream.Field("retry-after", strconv.AppendInt(nil, retryAfterSeconds, 10))
	}
}

// retryAfterSeconds is when a client may come back to find a backend: they are
// usually back sooner.
const retryAfterSeconds = 1

// allowed returns what the path can be asked.
func (x *exchange) allowed() string {
	if x.listener.routes == nil {
		return "GET, HEAD"
	}
	return x.match.Allow
}

var valueJSON = []byte("application/json")

// appendAnswer appends the body of an answer of the gate itself.
func appendAnswer(b []byte, r reason.Reason) []byte {
	b = append(b, `{"detail": "`...)
	b = append(b, r.Detail()...)
	b = append(b, `", "reason": "`...)
	b = append(b, r.String()...)
	return append(b, `"}`...)
}
