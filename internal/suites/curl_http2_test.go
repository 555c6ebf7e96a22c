//go:build suites

package suites

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// kind says that what follows is JSON.
const kind = "content-type: application/json"

func TestCurlSpeaksTheProtocolItIsToldTo(t *testing.T) {
	e := newEdge(t, access{})
	for option, begins := range map[string]string{"--http2": "HTTP/2 200 ", "--http1.1": "HTTP/1.1 200 "} {
		output := e.curl(t, "/track", option, "-H", kind, "-d", event(option, 0))
		assert.True(t, strings.HasPrefix(output, begins), output)
		assert.Contains(t, output, fmt.Sprintf(`{"size": %d}`, len(event(option, 0))))
	}
	e.collector.gotOnce(t, event("--http2", 0), event("--http1.1", 0))
	var protocols []string
	for _, line := range e.entries(t, 2) {
		protocols = append(protocols, line.Protocol)
	}
	assert.ElementsMatch(t, []string{spoken, "HTTP/1.1"}, protocols)
}

func TestCurlGetsTheHeadAndTheWholeOfTheTracker(t *testing.T) {
	e := newEdge(t, access{})
	head := e.curl(t, "/tracker/liliput.min.js", "--http2", "--head")
	whole := e.curl(t, "/tracker/liliput.min.js", "--http2")

	length := fmt.Sprintf("\ncontent-length: %d\n", len(script))
	assert.True(t, strings.HasPrefix(head, "HTTP/2 200 "), head)
	assert.Contains(t, head, length)
	assert.True(t, strings.HasSuffix(head, "\n\n"), "a body behind the answer to HEAD")
	above, body, _ := strings.Cut(whole, "\n\n")
	assert.Contains(t, above+"\n", length)
	assert.Equal(t, script, body)
	e.speak(t, spoken, 2)
}

// What is longer than one MiB is asked for with 100 and passed on as it comes, in
// DATA frames that wait for our windows.
func TestCurlSendsAVeryLargeEventOverHTTP2(t *testing.T) {
	e := newEdge(t, access{limits: "body: 8MiB"})
	large := event("large", 3<<20)
	file := written(t, large)
	for name, arguments := range map[string][]string{
		"expects":        {"-H", "expect: 100-continue", "--data-binary", "@" + file},
		"known length":   {"-H", "expect:", "--data-binary", "@" + file},
		"unknown length": {"-X", "POST", "-T", "-"},
	} {
		output := e.curlFrom(t, file, "/track", append([]string{"--http2", "-H", kind}, arguments...)...)
		assert.Equal(t, name == "expects", strings.HasPrefix(output, "HTTP/2 100 "), "%s: %s", name, output)
		assert.Contains(t, output, "HTTP/2 200 ", name)
		assert.Contains(t, output, fmt.Sprintf(`{"size": %d}`, len(large)), name)
	}
	e.collector.gotOnce(t, large, large, large)
	e.speak(t, spoken, 3)
}

func TestCurlAsksForSeveralThingsOnOneConnection(t *testing.T) {
	e := newEdge(t, access{})
	const count = 12
	for _, how := range []string{"--no-parallel", "--parallel"} {
		arguments := []string{how, "--http2", "--no-include", "--no-progress-meter", "--write-out", "\n%{http_version} %{http_code} %{num_connects} %{size_download}\n"}
		for range count - 1 {
			arguments = append(arguments, e.url("/tracker/liliput.min.js"))
		}
		output := e.curl(t, "/tracker/liliput.min.js", arguments...)
		assert.Equal(t, 1, strings.Count(output, fmt.Sprintf("\n2 200 1 %d\n", len(script))), "%s: requests that made a connection", how)
		assert.Equal(t, count-1, strings.Count(output, fmt.Sprintf("\n2 200 0 %d\n", len(script))), "%s: requests that found one", how)
	}
	e.speak(t, spoken, 2*count)
}
