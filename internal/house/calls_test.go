package house

import (
	"go/ast"
	"go/token"
)

// call is one call of a function by its name.
type call struct {
	name string // as written: "make", "time.Now"
	at   token.Pos
}

// calls returns every call of a plain or package-qualified name in the file.
func (s source) calls() []call {
	var found []call
	ast.Inspect(s.file, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			found = append(found, call{called(c), c.Pos()})
		}
		return true
	})
	return found
}

func called(c *ast.CallExpr) string { return dotted(c.Fun) }

// dotted writes x and x.y as they stand, and anything else as "".
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}
