package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mutableTypes are types that a package variable may not have: their methods
// change them. A sync.Pool holds nothing that anyone could observe and is let be.
var mutableTypes = []string{"sync.Mutex", "sync.RWMutex", "sync.Map", "sync.Once", "sync.WaitGroup", "sync/atomic"}

func TestNothingRunsBeforeMain(t *testing.T) { keeps(t, noInit) }

func TestPackageVariablesNeverChange(t *testing.T) { keeps(t, constantVariables) }

func TestInitIsCaught(t *testing.T) {
	bad := snippet(t, "proxy/x.go", "package proxy\n\nfunc init() {}\n\nfunc (t) init() {}\n")
	assert.Equal(t, []string{"proxy/x.go:3: func init"}, said(noInit(bad)))
}

func TestChangingVariablesAreCaught(t *testing.T) {
	bad := snippet(t, "proxy/x.go", `package proxy

import "sync/atomic"

var count, table, state, p, made = 0, map[string]int{"a": 1}, struct{ on bool }{}, 1, make(map[string]int)

var flag atomic.Bool

func f() {
	count++
	table["b"] = 2
	state.on = true
	take(&p)
}
`)
	assert.Equal(t, []string{
		"proxy/x.go:5: package variable made is made to be filled",
		"proxy/x.go:7: package variable flag is of a type that changes",
		"proxy/x.go:10: package variable count is changed",
		"proxy/x.go:11: package variable table is changed",
		"proxy/x.go:12: package variable state is changed",
		"proxy/x.go:13: package variable p is pointed at",
	}, said(constantVariables(bad)))
}

func TestConstantVariablesAreLetBe(t *testing.T) {
	good := snippet(t, "proxy/x.go", `package proxy

import "errors"

var ErrGone = errors.New("gone")

var table = [2]string{"a", "b"}

var whole = struct{ a int }{1}

func f(table []int) *string {
	table[0] = 1
	take(&whole)
	ErrGone := ErrGone
	ErrGone = nil
	return g(ErrGone)
}
`)
	assert.Empty(t, constantVariables(good))
}

func noInit(all tree) []finding {
	var findings []finding
	all.functions(func(s source, f *ast.FuncDecl) {
		if f.Recv == nil && f.Name.Name == "init" {
			findings = append(findings, s.found(f.Pos(), "func init"))
		}
	})
	return findings
}

func constantVariables(all tree) []finding {
	var findings []finding
	for folder, files := range all.code().folders() {
		uses := resolve(folder, files)
		for _, s := range files {
			findings = append(findings, mutableDeclarations(s)...)
			findings = append(findings, changes(s, uses)...)
		}
	}
	sort.Slice(findings, func(i, j int) bool {
		a, b := findings[i].at, findings[j].at
		return a.Filename < b.Filename || a.Filename == b.Filename && a.Line < b.Line
	})
	return findings
}

// resolve tells which identifiers of a package mean its own variables. Imports
// stay unresolved: what they hold does not matter here.
func resolve(folder string, files tree) map[*ast.Ident]types.Object {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	var parsed []*ast.File
	for _, s := range files {
		parsed = append(parsed, s.file)
	}
	lenient := types.Config{Error: func(error) {}}
	_, _ = lenient.Check(folder, files[0].files, parsed, info)
	return info.Uses
}

func mutableDeclarations(s source) []finding {
	var findings []finding
	for _, d := range s.file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, spec := range decl.Specs {
			findings = append(findings, mutableSpec(s, spec.(*ast.ValueSpec))...)
		}
	}
	return findings
}

func mutableSpec(s source, spec *ast.ValueSpec) []finding {
	var findings []finding
	if selector, ok := spec.Type.(*ast.SelectorExpr); ok && changesByItself(s, selector) {
		findings = append(findings, s.found(spec.Pos(), "package variable %s is of a type that changes", spec.Names[0]))
	}
	for i, value := range spec.Values {
		if call, ok := value.(*ast.CallExpr); ok && called(call) == "make" && i < len(spec.Names) {
			findings = append(findings, s.found(spec.Pos(), "package variable %s is made to be filled", spec.Names[i]))
		}
	}
	return findings
}

func changesByItself(s source, typ *ast.SelectorExpr) bool {
	for name := range s.imports() {
		if path := name[strings.LastIndexByte(name, '/')+1:]; path == dotted(typ.X) {
			return fitsAny(mutableTypes, name) || fitsAny(mutableTypes, name+"."+typ.Sel.Name)
		}
	}
	return false
}

func changes(s source, uses map[*ast.Ident]types.Object) []finding {
	var findings []finding
	note := func(target ast.Expr, how string) {
		if id := root(target); id != nil && packageVariable(uses[id]) {
			findings = append(findings, s.found(target.Pos(), "package variable %s is %s", id, how))
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				note(left, "changed")
			}
		case *ast.IncDecStmt:
			note(n.X, "changed")
		case *ast.UnaryExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND && basic(uses[id]) {
				note(id, "pointed at")
			}
		}
		return true
	})
	return findings
}

func packageVariable(o types.Object) bool {
	v, ok := o.(*types.Var)
	return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// basic reports whether o is a number, a string or a boolean: nobody wants the
// address of such a thing but to change it.
func basic(o types.Object) bool {
	if o == nil {
		return false
	}
	_, ok := o.Type().Underlying().(*types.Basic)
	return ok && o.Type() != types.Typ[types.Invalid]
}

// root returns x of x, x.f, x[i], *x and (x).
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
