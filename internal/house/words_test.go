package house

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

// otherWords are names for things that have a name here already. ("peer" is not
// among them: the other end of a TCP connection may be a proxy in between.)
var otherWords = map[string]string{
	"upstream":   "backend",
	"downstream": "client",
	"endpoint":   "backend",
	"cluster":    "pool",
}

// emptyNouns say that nobody has found out yet what a file or package is about.
var emptyNouns = []string{"util", "utils", "helper", "helpers", "common", "types", "misc", "shared"}

// unfinished finds the marks of work left behind; spelled so that it does not
// find itself.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func TestOneWordPerThing(t *testing.T) { keeps(t, oneWordPerThing) }

func TestFilesAndPackagesAreNouns(t *testing.T) { keeps(t, namedByNouns) }

func TestNothingIsLeftUnfinished(t *testing.T) { keeps(t, finished) }

func TestTestsDoNotSleep(t *testing.T) { keeps(t, awake) }

func TestWordsAreCaught(t *testing.T) {
	bad := snippet(t, "proxy/helpers.go", "package proxy\n\nfunc pickUpstream() {}\n\ntype t struct{ nodeCluster string }\n")
	assert.Equal(t, []string{
		"proxy/helpers.go:3: pickUpstream: upstream is called backend here",
		"proxy/helpers.go:5: nodeCluster: cluster is called pool here",
	}, said(oneWordPerThing(bad)))
	assert.Equal(t, []string{"proxy/helpers.go:1: helpers is no noun of this program"}, said(namedByNouns(bad)))
}

func TestUnfinishedWorkIsCaught(t *testing.T) {
	bad := snippet(t, "proxy/x.go", "package proxy\n\n// TO"+"DO: later, not \\uXXXX\n")
	assert.Equal(t, []string{"proxy/x.go:3: TO" + "DO"}, said(finished(bad)))
}

func TestSleepIsCaught(t *testing.T) {
	bad := snippet(t, "proxy/x_test.go", "package proxy\n\nfunc f() { time.Sleep(1) }\n")
	assert.Equal(t, []string{"proxy/x_test.go:3: a test that sleeps"}, said(awake(bad)))
}

func TestWordsOfNames(t *testing.T) {
	assert.Equal(t, []string{"http", "server", "x"}, wordsOf("HTTPServerX"))
	assert.Equal(t, []string{"max", "idle"}, wordsOf("max_idle"))
	assert.Equal(t, []string{"a"}, wordsOf("A"))
}

func oneWordPerThing(all tree) []finding {
	var findings []finding
	for _, s := range all {
		for _, id := range declared(s.file) {
			for _, word := range wordsOf(id.Name) {
				if ours, ok := otherWords[word]; ok {
					findings = append(findings, s.found(id.Pos(), "%s: %s is called %s here", id, word, ours))
				}
			}
		}
	}
	return findings
}

// declared returns the names that a file gives to things.
func declared(file *ast.File) []*ast.Ident {
	names := []*ast.Ident{file.Name}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name)
		case *ast.ValueSpec:
			names = append(names, n.Names...)
		case *ast.Field:
			names = append(names, n.Names...)
		}
		return true
	})
	return names
}

// wordsOf splits a Go name into its words, in lower case.
func wordsOf(name string) []string {
	var words []string
	letters := []rune(name)
	start := 0
	for i := 1; i <= len(letters); i++ {
		if i == len(letters) || startsWord(letters, i) {
			if word := strings.Trim(strings.ToLower(string(letters[start:i])), "_"); word != "" {
				words = append(words, word)
			}
			start = i
		}
	}
	return words
}

func startsWord(letters []rune, i int) bool {
	if letters[i] == '_' {
		return true
	}
	afterLower := !unicode.IsUpper(letters[i-1])
	beforeLower := i+1 < len(letters) && unicode.IsLower(letters[i+1])
	return unicode.IsUpper(letters[i]) && (afterLower || beforeLower)
}

func namedByNouns(all tree) []finding {
	var findings []finding
	for _, s := range all {
		file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.name), ".go"), "_test")
		for _, name := range []string{file, s.file.Name.Name} {
			if fitsAny(emptyNouns, name) {
				findings = append(findings, s.found(s.file.Package, "%s is no noun of this program", name))
			}
		}
	}
	return findings
}

func finished(all tree) []finding {
	var findings []finding
	for _, s := range all {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				for _, mark := range unfinished.FindAllString(c.Text, -1) {
					findings = append(findings, s.found(c.Pos(), "%s", mark))
				}
			}
		}
	}
	return findings
}

func awake(all tree) []finding {
	var findings []finding
	for _, s := range all.tests() {
		for _, c := range s.calls() {
			if c.name == "time.Sleep" {
				findings = append(findings, s.found(c.at, "a test that sleeps"))
			}
		}
	}
	return findings
}
