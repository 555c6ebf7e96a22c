package house

import (
	"go/ast"
	"go/token"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPackagesTellTheirStory(t *testing.T) { keeps(t, documentPackages) }

func TestExportedNamesAreDocumented(t *testing.T) { keeps(t, documentNames) }

func TestMissingCommentsAreCaught(t *testing.T) {
	bare := snippet(t, "proxy/x.go", "package proxy\n\nfunc Do() {}\n\ntype T int\n\nfunc (T) M() {}\n\nconst C = 1\n\nvar E, e = 1, 2\n")
	assert.Equal(t, []string{"proxy/x.go:1: package proxy has no comment"}, said(documentPackages(bare)))
	assert.Equal(t, []string{
		"proxy/x.go:3: Do has no comment",
		"proxy/x.go:5: T has no comment",
		"proxy/x.go:7: M has no comment",
		"proxy/x.go:9: C has no comment",
		"proxy/x.go:11: E has no comment",
	}, said(documentNames(bare)))
}

func TestCommentsAreSeenWhereverTheyStand(t *testing.T) {
	good := snippet(t, "proxy/x.go", `// Package proxy says something.
package proxy

// The constants.
const (
	A = 1
	B = 2
)

var (
	// C has one.
	C = 3
	D = 4 // D as well
)

type t int

func (t) Exported() {}
`)
	assert.Empty(t, documentPackages(good))
	assert.Empty(t, documentNames(good))
}

func documentPackages(all tree) []finding {
	var findings []finding
	for _, files := range all.code().folders() {
		first, story := files[0], ""
		for _, s := range files {
			story += s.file.Doc.Text()
		}
		if !strings.HasPrefix(story, "Package ") && !strings.HasPrefix(story, "Command ") && !isMain(first, story) {
			findings = append(findings, first.found(first.file.Package, "package %s has no comment", first.file.Name))
		}
	}
	sort.Slice(findings, func(i, j int) bool { return findings[i].at.Filename < findings[j].at.Filename })
	return findings
}

// isMain reports whether s is a program that says what it is by its own name.
func isMain(s source, story string) bool {
	return s.file.Name.Name == "main" && story != ""
}

func documentNames(all tree) []finding {
	var findings []finding
	for _, s := range all.code() {
		for _, name := range undocumented(s.file) {
			findings = append(findings, s.found(name.Pos(), "%s has no comment", name.Name))
		}
	}
	return findings
}

func undocumented(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && receiverExported(d) {
				names = append(names, d.Name)
			}
		case *ast.GenDecl:
			if d.Doc == nil || d.Tok == token.TYPE && d.Lparen.IsValid() {
				names = append(names, undocumentedSpecs(d)...)
			}
		}
	}
	return names
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	exported := true
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			exported = exported && id.IsExported()
			return false
		}
		_, generic := n.(*ast.IndexExpr)
		return !generic || exported
	})
	return exported
}

func undocumentedSpecs(d *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc == nil && spec.Comment == nil {
				names = append(names, exported(spec.Name)...)
			}
		case *ast.ValueSpec:
			if spec.Doc == nil && spec.Comment == nil {
				names = append(names, exported(spec.Names...)...)
			}
		}
	}
	return names
}

func exported(names ...*ast.Ident) []*ast.Ident {
	var kept []*ast.Ident
	for _, n := range names {
		if n.IsExported() {
			kept = append(kept, n)
		}
	}
	return kept
}
