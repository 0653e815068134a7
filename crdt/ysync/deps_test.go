package ysync

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Only the document and the standard library: whoever has a document can use
// this package, and nothing about sessions, storage or people leaks into it.
func TestImports(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if outside := strings.Contains(strings.Split(path, "/")[0], "."); outside && path != "github.com/clisonix/tidechart/crdt" {
				t.Errorf("%s imports %s", f.Name(), path)
			}
			switch path {
			case "time", "math/rand", "math/rand/v2", "os", "net", "log", "log/slog":
				t.Errorf("%s imports %s: what is read must decide what comes out (I12)", f.Name(), path)
			}
		}
	}
}
