//go:build suites

package suites

import (
	"encoding/xml"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leastCases is how many cases h2spec has at least, so that none is left out.
const leastCases = 145

// report is what h2spec writes, in the way of JUnit.
type report struct {
	Suites []struct {
		Cases []specCase `xml:"testcase"`
	} `xml:"testsuite"`
}

type specCase struct {
	Section string    `xml:"package,attr"`
	Name    string    `xml:"classname,attr"`
	Failure *struct{} `xml:"failure"`
	Error   *struct{} `xml:"error"`
	Skipped *struct{} `xml:"skipped"`
}

func TestH2specFindsNoFault(t *testing.T) {
	e := newEdge(t, access{allow: "{methods: [GET, HEAD, POST], path: /track}"})
	var failed, skipped, passed []string
	for _, c := range e.h2spec(t) {
		name := c.Section + ": " + c.Name
		switch {
		case c.Failure != nil || c.Error != nil:
			failed = append(failed, name)
		case c.Skipped != nil:
			skipped = append(skipped, name)
		default:
			passed = append(passed, name)
		}
	}
	assert.Empty(t, failed, "cases that failed")
	assert.Empty(t, skipped, "cases that were left out")
	assert.GreaterOrEqual(t, len(passed), leastCases, "cases that passed")
}

// h2spec tries all of its cases, those included that a server only should pass.
func (e *edge) h2spec(t *testing.T) []specCase {
	t.Helper()
	binary, file := buildH2spec(t), filepath.Join(t.TempDir(), "report.xml")
	_, port, err := net.SplitHostPort(e.address)
	require.NoError(t, err)
	output, err := run(t, binary, "-t", "-k", "-S", "-h", "localhost", "-p", port, "-P", "/track", "-o", "2", "-j", file)
	if err != nil {
		t.Logf("h2spec: %v\n%s", err, output)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err, "h2spec wrote no report")
	var r report
	require.NoError(t, xml.Unmarshal(text, &r))
	var cases []specCase
	for _, suite := range r.Suites {
		cases = append(cases, suite.Cases...)
	}
	return cases
}

// buildH2spec builds it from a module of its own, which says what it is built from.
func buildH2spec(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "h2spec")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/summerwind/h2spec/cmd/h2spec")
	command.Dir = filepath.Join("testdata", "h2spec")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}
