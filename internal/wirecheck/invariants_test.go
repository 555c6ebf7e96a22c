package wirecheck

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// hopByHop are fields that say something about one connection, or pretend to,
// and must not reach a backend.
var hopByHop = []string{"Proxy-Connection", "Keep-Alive", "Proxy-Authorization", "Upgrade", "HTTP2-Settings", "Proxy"}

// invariants holds one request against what is true of every request that a
// backend gets, whatever the client sent.
func (v *verdict) invariants(one request, public bool) {
	v.requestLine(one, public)
	v.framing(one.head)
	for _, line := range one.head.lines()[1:] {
		v.fieldLine(line)
	}
	for _, name := range hopByHop {
		if values := one.head.values(name); len(values) > 0 {
			v.fail("%s went to the backend: %q", name, values)
		}
	}
	if hosts := one.head.values("Host"); len(hosts) != 1 {
		v.fail("the backend saw %d Host fields", len(hosts))
	}
	if from := one.head.values("X-Forwarded-For"); !slices.Equal(from, []string{clientAddress}) {
		v.fail("the backend saw X-Forwarded-For: %q", from)
	}
}

func (v *verdict) requestLine(one request, public bool) {
	line := one.head.lines()[0]
	if words := strings.Split(line, " "); len(words) != 3 || words[2] != "HTTP/1.1" {
		v.fail("request line %q", line)
	}
	if path, _, _ := strings.Cut(one.target, "?"); public && path != "/track" {
		v.fail("a public listener passed on the target %q", one.target)
	}
}

func (v *verdict) framing(h head) {
	lengths, codings := h.values("Content-Length"), h.values("Transfer-Encoding")
	if len(lengths)+len(codings) > 1 {
		v.fail("the backend saw Content-Length %q and Transfer-Encoding %q", lengths, codings)
	}
	for _, length := range lengths {
		if !plainNumber(length) {
			v.fail("the backend saw Content-Length %q", length)
		}
	}
	for _, coding := range codings {
		if coding != "chunked" {
			v.fail("the backend saw Transfer-Encoding %q", coding)
		}
	}
}

// plainNumber reports whether text is a Content-Length as RFC 9110 section 8.6
// writes it.
func plainNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 63)
	return err == nil
}

func (v *verdict) fieldLine(line string) {
	name, _, colon := strings.Cut(line, ":")
	switch {
	case strings.ContainsAny(line, "\r\n\x00"):
		v.fail("CR, LF or NUL inside of %q", line)
	case !colon || !token.MatchString(name):
		v.fail("field name %q", name)
	case strings.Contains(name, "_"):
		v.fail("a field name with an underscore: %s", name)
	}
}

func TestInvariantsAreHeldAgainstEveryRequest(t *testing.T) {
	const fine = "Host: edge.test\r\nX-Forwarded-For: 127.0.0.1"
	for text, want := range map[string]string{
		"GET /track?q HTTP/1.1\r\n" + fine:                                         "",
		"POST /track HTTP/1.1\r\nContent-Length: 5\r\n" + fine:                     "",
		"GET /other HTTP/1.1\r\n" + fine:                                           `a public listener passed on the target "/other"`,
		"GET /track HTTP/1.0\r\n" + fine:                                           `request line "GET /track HTTP/1.0"`,
		"GET /track HTTP/1.1\r\nX-Forwarded-For: 127.0.0.1":                        "the backend saw 0 Host fields",
		"GET /track HTTP/1.1\r\nHost: edge.test\r\nX-Forwarded-For: 9, 10":         `the backend saw X-Forwarded-For: ["9, 10"]`,
		"GET /track HTTP/1.1\r\nContent-Length: +5\r\n" + fine:                     `the backend saw Content-Length "+5"`,
		"GET /track HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + fine:                `the backend saw Transfer-Encoding "gzip"`,
		"GET /track HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" + fine: `the backend saw Content-Length ["1" "1"] and Transfer-Encoding []`,
		"GET /track HTTP/1.1\r\nUpgrade: x\r\n" + fine:                             `Upgrade went to the backend: ["x"]`,
		"GET /track HTTP/1.1\r\nA_B: x\r\n" + fine:                                 "a field name with an underscore: A_B",
		"GET /track HTTP/1.1\r\nA : x\r\n" + fine:                                  `field name "A "`,
		"GET /track HTTP/1.1\r\n A: x\r\n" + fine:                                  `field name " A"`,
		"GET /track HTTP/1.1\r\nA: x\nB: y\r\n" + fine:                             `CR, LF or NUL inside of "A: x\nB: y"`,
	} {
		v := verdict{}
		h := head(text)
		v.invariants(request{head: h, target: h.target()}, true)
		assert.Equal(t, want, strings.Join(v.fails, "; "), text)
	}
}
