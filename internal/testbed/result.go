package testbed

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Result is an answer as a client got it.
type Result struct {
	Status  int
	Header  http.Header
	Body    string
	Err     error // the body did not come to its end
	Interim []int // status of informational answers before it

	t       testing.TB
	stays   func() bool // so far
	closes  func() bool // now or soon
	trailer http.Header
	stream  *Stream // over HTTP/2
}

// HasStatus demands a status.
func (r *Result) HasStatus(status int) *Result {
	r.t.Helper()
	assert.Equal(r.t, status, r.Status, "status; the body is %q", r.Body)
	return r
}

// HasBody demands a whole body.
func (r *Result) HasBody(body string) *Result {
	r.t.Helper()
	assert.NoError(r.t, r.Err)
	assert.Equal(r.t, len(body), len(r.Body), "length of the body")
	assert.True(r.t, body == r.Body, "body; it begins with %.200q", r.Body)
	return r
}

// HasField demands that a field is there with exactly these values.
func (r *Result) HasField(name string, values ...string) *Result {
	r.t.Helper()
	assert.Equal(r.t, values, r.Header.Values(name), name)
	return r
}

// Lacks demands that none of these fields is there.
func (r *Result) Lacks(names ...string) *Result {
	r.t.Helper()
	for _, name := range names {
		assert.Empty(r.t, r.Header.Values(name), name)
	}
	return r
}

// HasTrailer demands a field behind the body.
func (r *Result) HasTrailer(name, value string) *Result {
	r.t.Helper()
	assert.Equal(r.t, value, r.trailer.Get(name), "trailer "+name)
	return r
}

// Closes demands that nothing more of what the client sends is taken: the answer says
// that it is the last one or, over HTTP/2, the request was over, its stream is reset or
// the connection left.
func (r *Result) Closes() *Result {
	r.t.Helper()
	assert.True(r.t, r.closes(), "the client may go on")
	return r
}

// Last reports whether no other answer will come on the connection.
func (r *Result) Last() bool { return !r.stays() }

// Stays demands that the connection can be used again.
func (r *Result) Stays() *Result {
	r.t.Helper()
	assert.True(r.t, r.stays(), "the client may not go on")
	return r
}

// IsCut demands that the client can see that the body is not whole.
func (r *Result) IsCut() *Result {
	r.t.Helper()
	assert.Error(r.t, r.Err, "the answer looks whole: %.200q", r.Body)
	return r
}

// IsEdge demands an answer of the gate itself, with this status and reason.
func (r *Result) IsEdge(status int, reason string) *Result {
	r.t.Helper()
	r.HasStatus(status).HasField("content-type", "application/json")
	var said struct{ Detail, Reason string }
	assert.NoError(r.t, json.Unmarshal([]byte(r.Body), &said), "%q", r.Body)
	assert.Equal(r.t, reason, said.Reason)
	assert.NotEmpty(r.t, said.Detail)
	return r
}
