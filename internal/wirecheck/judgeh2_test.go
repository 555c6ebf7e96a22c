package wirecheck

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// http2 holds how streams and the connection ended against what c accepts.
func (v *verdict) http2(c clientCase, o outcome) {
	if c.Protocol != http2Protocol {
		return
	}
	e := c.Expect
	if e.ConnectionError && !o.closed && o.goaway == "" {
		v.fail("no connection error")
	}
	codes := o.codes()
	if e.ConnectionError {
		codes = []string{o.goaway}
	}
	expected := func(code string) bool { return slices.Contains(e.H2Error, code) }
	if len(e.H2Error) > 0 && !slices.ContainsFunc(codes, expected) {
		v.fail("error codes %q, want one of %q", codes, e.H2Error)
	}
	if !c.Attack && o.goaway != "" {
		v.fail("a good client was told GOAWAY %s", o.goaway)
	}
	if e.StillUsable && o.answered(o.asked+2) != 200 {
		v.fail("the connection was of no use afterwards")
	}
}

// length holds the Content-Length of one request against what the case says about it.
func (v *verdict) length(s sight, one request) {
	lengths := one.head.values("Content-Length")
	if s.CLSingle && len(lengths) > 1 {
		v.fail("the backend saw Content-Length %q", lengths)
	}
	for _, length := range lengths {
		if s.CLNot != nil && length == *s.CLNot {
			v.fail("the backend saw Content-Length %s", length)
		}
		if s.CLMax != nil && (!plainNumber(length) || number(length) > *s.CLMax) {
			v.fail("the backend was promised a body of %s", length)
		}
	}
}

func TestJudgeSeesHowStreamsEnded(t *testing.T) {
	reset := map[uint32]string{1: "CANCEL"}
	ok := answer{head: "HTTP/1.1 200", stream: 1}
	for name, test := range map[string]struct {
		expect expectation
		got    outcome
		want   []string
	}{
		"reset":          {expectation{Status: []int{0}, H2Error: []string{"CANCEL"}}, outcome{asked: 1, resets: reset}, nil},
		"another stream": {expectation{Status: []int{0}}, outcome{asked: 3, resets: reset}, []string{"status -1 [], closed false, want [0]"}},
		"wrong code": {expectation{Status: []int{0}, H2Error: []string{"A", "B"}}, outcome{asked: 1, resets: reset},
			[]string{`error codes ["CANCEL"], want one of ["A" "B"]`}},
		"only a stream error": {expectation{Status: []int{0}, ConnectionError: true, H2Error: []string{"CANCEL"}}, outcome{asked: 1, resets: reset},
			[]string{"no connection error", `error codes [""], want one of ["CANCEL"]`}},
		"connection error": {expectation{Status: []int{0}, ConnectionError: true, H2Error: []string{"X"}}, outcome{asked: 1, goaway: "X"}, nil},
		"closed alone":     {expectation{Status: []int{0}, ConnectionError: true}, outcome{asked: 1, closed: true}, nil},
		"useless":          {expectation{Status: []int{200}, StillUsable: true}, outcome{asked: 1, answers: []answer{ok}}, []string{"the connection was of no use afterwards"}},
		"usable":           {expectation{Status: []int{200}, StillUsable: true}, outcome{asked: 1, answers: []answer{ok, {head: "HTTP/1.1 200", stream: 3}}}, nil},
	} {
		v := judge(clientCase{Protocol: http2Protocol, Attack: true, Expect: test.expect}, test.got, record{})
		assert.Equal(t, test.want, v.fails, name)
	}
	v := judge(clientCase{Protocol: http2Protocol, Expect: expectation{Status: []int{200}}}, outcome{asked: 1, answers: []answer{ok}, goaway: "X"}, record{})
	assert.Equal(t, []string{"a good client was told GOAWAY X"}, v.fails)
}

func TestJudgeSeesLengthsThatWerePassedOn(t *testing.T) {
	zero, five := 0, "5"
	for want, test := range map[string]struct {
		sight  sight
		fields string
	}{
		"": {sight{CLSingle: true, CLNot: &five, CLMax: &zero}, "Content-Length: 0"},
		`the backend saw Content-Length ["5" "5"]`: {sight{CLSingle: true}, "Content-Length: 5\r\ncontent-length: 5"},
		"the backend saw Content-Length 5":         {sight{CLNot: &five}, "Content-Length: 5"},
		"the backend was promised a body of 10":    {sight{CLMax: &zero}, "Content-Length: 10"},
	} {
		v := verdict{}
		v.length(test.sight, request{head: head("POST /track HTTP/1.1\r\n" + test.fields)})
		if want == "" {
			assert.Empty(t, v.fails)
		} else {
			assert.Equal(t, []string{want}, v.fails)
		}
	}
}
