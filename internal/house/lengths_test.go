package house

import (
	"fmt"
	"go/ast"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The lengths in lines that code may have.
const (
	longestFunction  = 60
	longestFile      = 500
	medianFunction   = 10
	ninetiethPercent = 25
)

// longFunctions may be longer than longestFunction, each for a reason. The
// numbers are what they are now: they may only shrink.
var longFunctions = map[string]int{}

func TestFunctionsCanBeReadInOneGo(t *testing.T) { keeps(t, shortFunctions(longFunctions)) }

func TestFilesCanBeReadInOneGo(t *testing.T) { keeps(t, shortFiles) }

func TestMostFunctionsAreShort(t *testing.T) {
	lengths := functionLengths(wholeTree(t))
	assert.LessOrEqual(t, percentile(lengths, 50), medianFunction, "median function length")
	assert.LessOrEqual(t, percentile(lengths, 90), ninetiethPercent, "90th percentile of function lengths")
}

func TestLongFunctionsAreCaught(t *testing.T) {
	long := snippet(t, "proxy/x.go", "package proxy\n\nfunc (*T) long() {"+strings.Repeat("\n", 60)+"}\n")
	assert.Equal(t, []string{"proxy/x.go:3: proxy.T.long has 61 lines, more than 60"}, said(shortFunctions(nil)(long)))
	assert.Empty(t, shortFunctions(map[string]int{"proxy.T.long": 61})(long))
	assert.Equal(t, []string{"proxy/x.go:3: proxy.T.long has 61 lines, its exception says 70: lower it"},
		said(shortFunctions(map[string]int{"proxy.T.long": 70})(long)))
	assert.Equal(t, []string{":0: the exception proxy.gone fits no function: remove it"},
		said(shortFunctions(map[string]int{"proxy.T.long": 61, "proxy.gone": 80})(long)))
}

func TestLongFilesAreCaught(t *testing.T) {
	long := snippet(t, "proxy/x_test.go", "package proxy\n"+strings.Repeat("\n", 500))
	assert.Equal(t, []string{"proxy/x_test.go:1: 501 lines, more than 500"}, said(shortFiles(long)))
}

func TestPercentileOfFew(t *testing.T) {
	assert.Equal(t, 0, percentile(nil, 50))
	assert.Equal(t, 2, percentile([]int{3, 1, 2}, 50))
	assert.Equal(t, 9, percentile([]int{1, 9, 1, 1, 1, 1, 1, 1, 1, 9, 9}, 90))
}

func shortFunctions(exceptions map[string]int) rule {
	return func(all tree) []finding {
		var findings []finding
		unused := map[string]bool{}
		for name := range exceptions {
			unused[name] = true
		}
		all.code().functions(func(s source, f *ast.FuncDecl) {
			name := functionName(s, f)
			delete(unused, name)
			if what := judgeLength(name, s.lines(f), exceptions[name]); what != "" {
				findings = append(findings, s.found(f.Pos(), "%s", what))
			}
		})
		for name := range unused {
			findings = append(findings, finding{what: "the exception " + name + " fits no function: remove it"})
		}
		return findings
	}
}

func judgeLength(name string, lines, exception int) string {
	switch {
	case exception > 0 && lines < exception:
		return fmt.Sprintf("%s has %d lines, its exception says %d: lower it", name, lines, exception)
	case lines > max(longestFunction, exception):
		return fmt.Sprintf("%s has %d lines, more than %d", name, lines, max(longestFunction, exception))
	}
	return ""
}

// functionName is the folder, the receiver's type if there is one, and the name.
func functionName(s source, f *ast.FuncDecl) string {
	name := f.Name.Name
	if f.Recv != nil {
		ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok {
				name = id.Name + "." + name
			}
			_, generic := n.(*ast.IndexExpr)
			return !ok && !generic
		})
	}
	return s.folder() + "." + name
}

func shortFiles(all tree) []finding {
	var findings []finding
	for _, s := range all {
		if n := strings.Count(s.text, "\n"); n > longestFile {
			findings = append(findings, s.found(s.file.Package, "%d lines, more than %d", n, longestFile))
		}
	}
	return findings
}

func functionLengths(all tree) []int {
	var lengths []int
	all.code().functions(func(s source, f *ast.FuncDecl) { lengths = append(lengths, s.lines(f)) })
	return lengths
}

func percentile(values []int, percent int) int {
	if len(values) == 0 {
		return 0
	}
	sort.Ints(values)
	return values[(len(values)-1)*percent/100]
}
