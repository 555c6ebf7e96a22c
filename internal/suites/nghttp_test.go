//go:build suites

package suites

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transcript is what nghttp tells of the frames of a connection.
type transcript string

// nghttp asks the gate with a client that shows each frame.
func (e *edge) nghttp(t *testing.T, arguments ...string) transcript {
	t.Helper()
	needs(t, "nghttp")
	command := exec.CommandContext(t.Context(), "nghttp", append([]string{"--null-out", "--verbose", "--timeout=20s"}, arguments...)...)
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+e.ca())
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	s := transcript(output)
	assert.Contains(t, s, "The negotiated protocol: h2\n")
	assert.NotContains(t, s, "WARNING", "nghttp found fault with the certificate")
	return s
}

// field returns the values that came for a field, pseudo-fields among them.
func (s transcript) field(name string) []string {
	var values []string
	for _, found := range regexp.MustCompile(`recv \(stream_id=\d+\) `+name+`: (.*)`).FindAllStringSubmatch(string(s), -1) {
		values = append(values, found[1])
	}
	return values
}

// frames counts those of a kind that came.
func (s transcript) frames(kind string) int {
	return strings.Count(string(s), "recv "+kind+" frame")
}

// went demands that these answers came, and no frame of an error.
func (s transcript) went(t *testing.T, statuses ...string) {
	t.Helper()
	assert.Equal(t, statuses, s.field(":status"), "%.9000s", s)
	for _, bad := range []string{"recv RST_STREAM", "recv GOAWAY", "send RST_STREAM", "INVALID", "_ERROR"} {
		assert.NotContains(t, strings.ReplaceAll(string(s), "error_code=NO_ERROR", ""), bad)
	}
}

// Clients differ in how they write the same things (RFC 9113, sections 5.3.2, 6.1,
// 6.2, 6.9 and 6.10; RFC 7541, section 4.2).
func TestNghttpAsksInEveryWayItCan(t *testing.T) {
	e := newEdge(t, access{})
	var sent []string
	for name, arguments := range map[string][]string{
		"as usual":                     nil,
		"with padding":                 {"--padding=250"},
		"with CONTINUATION":            {"--continuation"},
		"without priorities":           {"--no-dep"},
		"with the priorities of 9218":  {"--no-rfc7540-pri"},
		"with small windows":           {"--window-bits=12", "--connection-window-bits=14"},
		"with a window for everything": {"--window-bits=30", "--connection-window-bits=30"},
		"without tables of fields":     {"--header-table-size=0", "--encoder-header-table-size=0"},
		"with tables that shrink":      {"--header-table-size=256", "--header-table-size=64", "--header-table-size=8192"},
		"without push":                 {"--no-push"},
	} {
		t.Run(name, func(t *testing.T) {
			const count = 8
			fine := slices.Repeat([]string{"200"}, count)
			options := append([]string{"--multiply=8", "--header=" + kind}, arguments...)
			e.nghttp(t, append(options, e.url("/tracker/liliput.min.js"))...).went(t, fine...)
			e.nghttp(t, append(options, "--data="+written(t, event(name, 40<<10)), e.url("/track"))...).went(t, fine...)
			sent = append(sent, slices.Repeat([]string{event(name, 40<<10)}, count)...)
		})
	}
	e.collector.gotOnce(t, sent...)
	e.speak(t, spoken, 2*len(sent))
}

// Trailers go both ways in a second HEADERS frame (RFC 9113, section 8.1). In
// HTTP/1.1, they need a body whose length is not said.
func TestNghttpSendsAndGetsTrailers(t *testing.T) {
	e := newEdge(t, access{})
	file := written(t, event("one", 0))
	s := e.nghttp(t, "--no-content-length", "--header="+kind, "--trailer=x-sum: of nghttp", "--data="+file, e.url("/track"))
	s.went(t, "200")
	assert.Equal(t, []string{fmt.Sprintf("sum-%d", len(event("one", 0)))}, s.field("x-sum"))
	assert.Equal(t, []delivery{{"POST", "/track", "application/json", event("one", 0), "of nghttp"}}, e.collector.deliveries())
}

func TestNghttpIsAskedForABodyThatItHoldsBack(t *testing.T) {
	e := newEdge(t, access{limits: "body: 8MiB"})
	large := event("large", 3<<20)
	for _, length := range []string{"--expect-continue", "--no-content-length"} {
		s := e.nghttp(t, "--expect-continue", length, "--header="+kind, "--data="+written(t, large), e.url("/track"))
		s.went(t, "100", "200")
	}
	e.collector.gotOnce(t, large, large)
}

// The refusal comes while the body is still on its way, and says that the rest is
// not wanted and nothing else is wrong (RFC 9113, section 8.1).
func TestNghttpReadsWhyABodyIsRefused(t *testing.T) {
	e := newEdge(t, access{})
	file := written(t, event("large", 3<<20))
	for _, arguments := range [][]string{nil, {"--no-content-length"}, {"--expect-continue"}} {
		s := e.nghttp(t, append(arguments, "--header="+kind, "--data="+file, e.url("/track"))...)
		assert.Equal(t, []string{"413"}, s.field(":status"), "%v", arguments)
		assert.Contains(t, s, "(error_code=NO_ERROR(0x00))")
		assert.Equal(t, 1, s.frames("DATA"))
		assert.Zero(t, s.frames("GOAWAY"))
	}
	assert.Empty(t, e.collector.deliveries())
	for _, line := range e.entries(t, 3) {
		assert.Equal(t, "body_too_large", line.Reason, "%+v", line)
	}
}

func TestNghttpGetsNoBodyForHead(t *testing.T) {
	e := newEdge(t, access{})
	s := e.nghttp(t, "--header=:method: HEAD", e.url("/tracker/liliput.min.js"))
	s.went(t, "200")
	assert.Len(t, s.field("content-length"), 1)
	assert.Zero(t, s.frames("DATA"))
}
