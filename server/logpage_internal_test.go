package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestEachActHasWords: whoever reads the log of acts reads what people did, not what the program calls it.
func TestEachActHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "audit/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Act" {
			act, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if n++; err != nil || actText(t.Context(), act) == act {
				t.Errorf("%s has no words for people", act)
			}
		}
		return true
	})
	if n < 40 {
		t.Errorf("found only %d acts", n)
	}
}
