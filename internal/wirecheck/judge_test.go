package wirecheck

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// clientAddress is where every case comes from.
const clientAddress = "127.0.0.1"

// verdict is what was wrong with one case: fails are wrong, warns are legal but
// more lenient than this project wants to be.
type verdict struct{ fails, warns []string }

func (v *verdict) fail(format string, args ...any) {
	v.fails = append(v.fails, fmt.Sprintf(format, args...))
}

func (v *verdict) warn(format string, args ...any) {
	v.warns = append(v.warns, fmt.Sprintf(format, args...))
}

// judge compares what the client and the backend saw with what c accepts.
func judge(c clientCase, o outcome, r record) verdict {
	v := verdict{}
	v.status(c.accepted(), c.Expect.Tolerated, o)
	tolerated := len(v.warns) > 0
	v.preferred(c.Expect, o)
	v.sequence(c.Expect, o)
	v.http2(c, o)
	if !tolerated {
		v.closing(c.Expect, o)
		v.reach(c.Expect, r)
	}
	for _, text := range c.Expect.Backend.ForbidBytes {
		if text := names(text); strings.Contains(r.raw, text) {
			v.fail("the backend got the bytes %q", text)
		}
	}
	for _, one := range r.requests {
		if one.target == "" {
			continue // not even a whole head: only its bytes count
		}
		v.invariants(one, c.Listener == "public")
		v.sight(c.Expect.Backend, one)
		v.length(c.Expect.Backend, one)
		v.bodies(c.Expect.Backend, one)
	}
	return v
}

// accepted returns the statuses that a case accepts. A whole request that comes before
// the fault of its connection, and may be passed on, may be answered before the gate
// gets to read that.
func (c clientCase) accepted() []int {
	const endStream, endHeaders = 1, 4
	whole := 0
	for _, f := range c.Frames {
		if f.T == "HEADERS" && f.Stream%2 == 1 && f.Flags == endStream|endHeaders {
			whole++
		}
	}
	if c.Expect.ConnectionError && !c.Expect.MustNotReach && whole > 1 {
		return append(slices.Clone(c.Expect.Status), http.StatusOK)
	}
	return c.Expect.Status
}

func (v *verdict) status(want, tolerated []int, o outcome) {
	switch got := o.status(); {
	case slices.Contains(want, got):
	case slices.Contains(tolerated, got):
		v.warn("tolerated status %d", got)
	default:
		v.fail("status %d %v, closed %t, want %v", got, o.statuses(), o.closed, want)
	}
	if o.bad != "" {
		v.fail("the client saw %s", o.bad)
	}
}

// preferred holds an accepted answer against the one that this project chose. A
// connection that was closed counts as a 400 that was not even sent.
func (v *verdict) preferred(e expectation, o outcome) {
	got := o.status()
	if len(e.Preferred) == 0 || !slices.Contains(e.Status, got) || slices.Contains(e.Preferred, got) {
		return
	}
	if got != closedSilently || !slices.Contains(e.Preferred, 400) {
		v.warn("lenient %d, preferred is %v", got, e.Preferred)
	}
}

func (v *verdict) sequence(e expectation, o outcome) {
	for i, want := range e.Sequence {
		got := closedSilently
		if i < len(o.answers) {
			got = o.answers[i].head.status()
		}
		if !slices.Contains(want, got) {
			v.fail("answer %d is %d, want %v", i+1, got, want)
			return
		}
	}
	if e.MaxResponses != nil && len(o.answers) > *e.MaxResponses {
		v.fail("answers %v, more than %d", o.statuses(), *e.MaxResponses)
	}
}

func (v *verdict) closing(e expectation, o outcome) {
	if o.closed || o.status() == noAnswer {
		return
	}
	if e.MustClose {
		v.fail("the connection was left open")
	}
	if e.ShouldClose {
		v.warn("the connection was left open")
	}
}

func (v *verdict) reach(e expectation, r record) {
	if e.MustNotReach && len(r.requests) > 0 {
		v.fail("reached the backend: %.90q", r.requests[0].head)
	}
	if e.Backend.Body != nil && len(r.requests) == 0 {
		v.fail("did not reach the backend")
	}
	for _, one := range r.requests {
		if e.Backend.NoComplete && one.complete {
			v.fail("the backend saw a complete request")
		}
	}
}

// sight holds the head of one request against what the case says about it.
func (v *verdict) sight(s sight, one request) {
	for _, name := range s.HeaderAbsent {
		if values := one.head.values(name); len(values) > 0 {
			v.fail("the backend saw %s: %q", name, values)
		}
	}
	for name, value := range s.HeaderNot {
		if slices.Contains(one.head.values(name), value) {
			v.fail("the backend saw %s: %s", name, value)
		}
	}
	for name, value := range s.HeaderEquals {
		if got := one.head.values(name); !slices.Equal(got, []string{value}) {
			v.fail("the backend saw %s: %q, want %q", name, got, value)
		}
	}
	for _, name := range s.RequireHeaders {
		if len(one.head.values(name)) == 0 {
			v.fail("the backend did not see %s", name)
		}
	}
	for _, text := range s.ForbidTargets {
		if strings.Contains(one.target, text) {
			v.fail("a smuggled target: %s", one.target)
		}
	}
	for _, want := range [][]string{s.Target, s.TargetIfReached} {
		if len(want) > 0 && !slices.Contains(want, one.target) {
			v.fail("target %q, want %q", one.target, want)
		}
	}
}

func (v *verdict) bodies(s sight, one request) {
	for _, want := range []*string{s.Body, s.BodyIfReached} {
		if want != nil && one.complete && one.body != *want {
			v.fail("body %.90q, want %q", one.body, *want)
		}
	}
}

func TestWhatComesBeforeAFaultMayBeAnswered(t *testing.T) {
	whole := frame{T: "HEADERS", Stream: 1, Flags: 5}
	e := expectation{Status: []int{0}, ConnectionError: true}
	assert.Equal(t, []int{0, 200}, clientCase{Frames: []frame{whole, whole}, Expect: e}.accepted())
	assert.Equal(t, []int{0}, clientCase{Frames: []frame{whole}, Expect: e}.accepted())
	e.MustNotReach = true
	assert.Equal(t, []int{0}, clientCase{Frames: []frame{whole, whole}, Expect: e}.accepted())
	loaded := loadCorpus(t).named(t, "h2f-stream-backwards")
	assert.Equal(t, []int{0, 200}, loaded.accepted())
}

func TestJudgeSeesWhatTheClientGot(t *testing.T) {
	one, ok := 1, answer{head: "HTTP/1.1 200 OK"}
	for name, test := range map[string]struct {
		expect expectation
		got    outcome
		want   verdict
	}{
		"right": {expectation{Status: []int{200}}, outcome{answers: []answer{ok}}, verdict{}},
		"wrong status": {expectation{Status: []int{400}}, outcome{answers: []answer{ok}},
			verdict{fails: []string{"status 200 [200], closed false, want [400]"}}},
		"tolerated": {expectation{Status: []int{400}, Tolerated: []int{200}, MustClose: true}, outcome{answers: []answer{ok}},
			verdict{warns: []string{"tolerated status 200"}}},
		"lenient": {expectation{Status: []int{200, 400}, Preferred: []int{400}}, outcome{answers: []answer{ok}},
			verdict{warns: []string{"lenient 200, preferred is [400]"}}},
		"closed instead of 400": {expectation{Status: []int{0, 400}, Preferred: []int{400}}, outcome{closed: true}, verdict{}},
		"left open": {expectation{Status: []int{200}, MustClose: true}, outcome{answers: []answer{ok}},
			verdict{fails: []string{"the connection was left open"}}},
		"better closed": {expectation{Status: []int{200}, ShouldClose: true}, outcome{answers: []answer{ok}},
			verdict{warns: []string{"the connection was left open"}}},
		"one too many": {expectation{Status: []int{200}, MaxResponses: &one}, outcome{answers: []answer{ok, ok}},
			verdict{fails: []string{"answers [200 200], more than 1"}}},
		"out of order": {expectation{Status: []int{200}, Sequence: [][]int{{200}, {400, 0}}}, outcome{answers: []answer{ok, ok}},
			verdict{fails: []string{"answer 2 is 200, want [400 0]"}}},
		"garbage": {expectation{Status: []int{0}}, outcome{closed: true, bad: "garbage"},
			verdict{fails: []string{"the client saw garbage"}}},
		"silence": {expectation{Status: []int{noAnswer}, MustClose: true}, outcome{}, verdict{}},
	} {
		assert.Equal(t, test.want, judge(clientCase{Expect: test.expect}, test.got, record{}), name)
	}
}

func TestJudgeSeesWhatReachedTheBackend(t *testing.T) {
	hi := "hi"
	saw := request{
		head:   "POST /track HTTP/1.1\r\nHost: edge.test\r\nX-Forwarded-For: 127.0.0.1\r\nX-A: 1",
		method: "POST", target: "/track", body: "ho", complete: true,
	}
	for want, expect := range map[string]expectation{
		"":                                     {Backend: sight{HeaderEquals: map[string]string{"x-a": "1"}, Target: []string{"/track"}}},
		"reached the backend: " + quoted(saw):  {MustNotReach: true},
		"the backend saw a complete request":   {Backend: sight{NoComplete: true}},
		`the backend saw x-a: ["1"]`:           {Backend: sight{HeaderAbsent: []string{"x-a"}}},
		"the backend saw x-a: 1":               {Backend: sight{HeaderNot: map[string]string{"x-a": "1"}}},
		`the backend saw x-a: ["1"], want "2"`: {Backend: sight{HeaderEquals: map[string]string{"x-a": "2"}}},
		"the backend did not see x-b":          {Backend: sight{RequireHeaders: []string{"x-b"}}},
		"a smuggled target: /track":            {Backend: sight{ForbidTargets: []string{"rack"}}},
		`target "/track", want ["/x"]`:         {Backend: sight{TargetIfReached: []string{"/x"}}},
		`body "ho", want "hi"`:                 {Backend: sight{Body: &hi}},
		`the backend got the bytes "RAW"`:      {Backend: sight{ForbidBytes: []string{"RAW"}}},
	} {
		expect.Status = []int{closedSilently}
		v := judge(clientCase{Listener: "public", Expect: expect}, outcome{closed: true}, record{raw: "xRAWx", requests: []request{saw}})
		assert.Equal(t, want, strings.Join(v.fails, "; "))
	}
	v := judge(clientCase{Expect: expectation{Status: []int{0}, Backend: sight{Body: &hi}}}, outcome{closed: true}, record{})
	assert.Equal(t, []string{"did not reach the backend"}, v.fails)
}

func quoted(r request) string { return fmt.Sprintf("%.90q", r.head) }
