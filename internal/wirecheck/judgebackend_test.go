package wirecheck

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// judgeBackend compares what the client saw of a misbehaving backend, and of
// the same backend behaving well after that, with what c accepts.
func judgeBackend(c backendCase, first, then sighting) verdict {
	v := verdict{}
	o := first.outcome
	v.status(c.Expect.Status, c.Expect.Tolerated, cutAnswers(c, o))
	if len(o.answers) > 1 {
		v.fail("answers %v to one request", o.statuses())
	}
	if c.Expect.MustTruncate && o.status() == 200 && !o.answers[0].truncated && o.bad == "" {
		v.fail("what was cut short came out whole")
	}
	if c.Expect.KeepAlive && o.closed {
		v.fail("the client's connection was closed as well")
	}
	for _, name := range c.Expect.HeaderAbsent {
		if len(o.answers) > 0 && len(o.answers[0].head.values(name)) > 0 {
			v.fail("the client saw %s", name)
		}
	}
	v.followUp(then.outcome)
	v.reuse(c.Expect.Reuse, first.record, then.record)
	return v
}

// cutAnswers forgives an answer that could not be read to its end where that
// is what the case asks for.
func cutAnswers(c backendCase, o outcome) outcome {
	if c.Expect.MustTruncate && o.closed {
		o.bad = ""
	}
	return o
}

func (v *verdict) followUp(o outcome) {
	if len(o.answers) != 1 || o.status() != 200 || o.answers[0].body != "ok" {
		v.fail("the next request got %v %q %s", o.statuses(), o.bodies(), o.bad)
	}
}

// reuse checks whether the next request took the same connection to the backend.
func (v *verdict) reuse(want *bool, first, then record) {
	if want == nil || len(first.requests) == 0 || len(then.requests) == 0 {
		return
	}
	same := first.requests[len(first.requests)-1].conn == then.requests[0].conn
	if same != *want {
		v.fail("the backend's connection was used again: %t, want %t", same, *want)
	}
}

func TestJudgeSeesWhatABackendDidToOthers(t *testing.T) {
	no := false
	good := sighting{
		outcome{answers: []answer{{head: "HTTP/1.1 200 OK", body: "ok"}}},
		record{requests: []request{{conn: 1}}},
	}
	c := backendCase{}
	c.Expect.Status = []int{200}
	assert.Empty(t, judgeBackend(c, good, good).fails)

	c.Expect.Reuse = &no
	c.Expect.MustTruncate = true
	poisoned := good
	poisoned.outcome.answers = []answer{{head: "HTTP/1.1 200 OK", body: "evil"}}
	assert.Equal(t, []string{
		"what was cut short came out whole",
		"the next request got [200] [\"evil\"] ",
		"the backend's connection was used again: true, want false",
	}, judgeBackend(c, good, poisoned).fails)
}
