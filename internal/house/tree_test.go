package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/trackgate/trackgate"

// source is one Go file of the tree.
type source struct {
	name  string // slash separated, from the top of the tree
	text  string
	file  *ast.File
	files *token.FileSet
}

// tree is every Go file that a rule looks at.
type tree []source

// rule finds what breaks it.
type rule func(tree) []finding

// finding is one place that breaks a rule.
type finding struct {
	at   token.Position
	what string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s", f.at.Filename, f.at.Line, f.what)
}

func (s source) folder() string { return path.Dir(s.name) }

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) found(at token.Pos, format string, args ...any) finding {
	return finding{at: s.files.Position(at), what: fmt.Sprintf(format, args...)}
}

// lines counts the lines that n stands on.
func (s source) lines(n ast.Node) int {
	return s.files.Position(n.End()).Line - s.files.Position(n.Pos()).Line + 1
}

// imports returns the paths that the file imports, each with its place.
func (s source) imports() map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, spec := range s.file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil {
			found[name] = spec.Pos()
		}
	}
	return found
}

// code is the part of the tree that is not tests.
func (t tree) code() tree { return t.only(func(s source) bool { return !s.test() }) }

// tests is the part of the tree that is.
func (t tree) tests() tree { return t.only(source.test) }

func (t tree) only(keep func(source) bool) tree {
	var kept tree
	for _, s := range t {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// folders groups the tree by package folder.
func (t tree) folders() map[string]tree {
	groups := map[string]tree{}
	for _, s := range t {
		groups[s.folder()] = append(groups[s.folder()], s)
	}
	return groups
}

// functions calls do for each function that has a body.
func (t tree) functions(do func(source, *ast.FuncDecl)) {
	for _, s := range t {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				do(s, f)
			}
		}
	}
}

// wholeTree parses every Go file of the repository.
func wholeTree(t *testing.T) tree {
	t.Helper()
	top := os.DirFS(filepath.Join("..", ".."))
	files := token.NewFileSet()
	var all tree
	err := fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		s, err := parse(files, top, name)
		all = append(all, s)
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func skipped(folder string) bool {
	base := path.Base(folder)
	return base == "testdata" || len(base) > 1 && strings.HasPrefix(base, ".")
}

func parse(files *token.FileSet, top fs.FS, name string) (source, error) {
	text, err := fs.ReadFile(top, name)
	if err != nil {
		return source{}, err
	}
	file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{name: name, text: string(text), file: file, files: files}, err
}

// keeps fails t with every place of the tree that breaks r.
func keeps(t *testing.T, r rule) {
	t.Helper()
	for _, f := range r(wholeTree(t)) {
		t.Error(f)
	}
}

// snippet is a tree of one file, for showing a rule what it must find.
func snippet(t *testing.T, name, text string) tree {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return tree{{name: name, text: text, file: file, files: files}}
}

// said turns findings into their text.
func said(findings []finding) []string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return lines
}
