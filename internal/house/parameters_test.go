package house

import (
	"go/ast"
	"testing"

	"github.com/stretchr/testify/assert"
)

const mostParameters = 5

func TestParametersAreFewAndClear(t *testing.T) { keeps(t, clearParameters) }

func TestUnclearParametersAreCaught(t *testing.T) {
	bad := snippet(t, "proxy/x.go", `package proxy

func many(a, b, c int, d, e string, f error) {}

func flags(name string, fast, loud bool) {}

type doer interface{ do(fast bool, loud bool) }

func fine(a bool, b int, c bool) (x, y bool) { return func(a bool) bool { return a }(a), c }
`)
	assert.Equal(t, []string{
		"proxy/x.go:3: 6 parameters, more than 5",
		"proxy/x.go:5: two booleans in a row",
		"proxy/x.go:7: two booleans in a row",
	}, said(clearParameters(bad)))
}

func clearParameters(all tree) []finding {
	var findings []finding
	for _, s := range all.code() {
		ast.Inspect(s.file, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncType)
			if !ok {
				return true
			}
			if n := f.Params.NumFields(); n > mostParameters {
				findings = append(findings, s.found(f.Params.Pos(), "%d parameters, more than %d", n, mostParameters))
			}
			if booleansInARow(f.Params) {
				findings = append(findings, s.found(f.Params.Pos(), "two booleans in a row"))
			}
			return true
		})
	}
	return findings
}

func booleansInARow(params *ast.FieldList) bool {
	row := 0
	for _, field := range params.List {
		if id, ok := field.Type.(*ast.Ident); !ok || id.Name != "bool" {
			row = 0
			continue
		}
		if row += max(1, len(field.Names)); row > 1 {
			return true
		}
	}
	return false
}
