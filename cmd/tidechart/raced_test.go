package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unraced finds the packages that make test runs without the race detector.
var unraced = regexp.MustCompile(`(?m)^(?:ENGINE|PLAIN) := ((?:.*\\\n)*.*)$`)

// TestWhatRunsAtOnceIsRaced: a package that the Makefile tests without the race detector starts no goroutine, has no channel and no lock. That
// something is made once, whoever asks first, is allowed.
func TestWhatRunsAtOnceIsRaced(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, m := range unraced.FindAllStringSubmatch(string(makefile), -1) {
		dirs = append(dirs, strings.Fields(strings.ReplaceAll(m[1], `\`, ""))...)
	}
	if !slices.Contains(dirs, "crdt") || !slices.Contains(dirs, "web") {
		t.Fatalf("the Makefile names %q", dirs)
	}
	for _, dir := range dirs {
		pkg, err := build.ImportDir(filepath.Join("../..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pkg.Imports {
			if path == "sync/atomic" || strings.HasPrefix(path, "golang.org/x/sync/") {
				t.Errorf("%s imports %s", dir, path)
			}
		}
		files := token.NewFileSet()
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(files, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if atOnce(n) {
					t.Errorf("%v needs the race detector: the Makefile tests %s without it", files.Position(n.Pos()), dir)
				}
				return true
			})
		}
	}
}

// atOnce reports whether a piece of code is for what runs at the same time.
func atOnce(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt:
		return true
	case *ast.SelectorExpr:
		of, is := n.X.(*ast.Ident)
		return is && of.Name == "sync" && n.Sel.Name != "OnceFunc" && n.Sel.Name != "OnceValue" && n.Sel.Name != "OnceValues"
	}
	return false
}
