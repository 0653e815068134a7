package web

import (
	"go/build"
	"slices"
	"strings"
	"testing"
)

// imports are all that the pages may import beyond the standard library, and
// why. Pages know nothing of stores, logins or sessions: whoever renders one
// has fetched and decided everything, so a page cannot leak what it was not
// given.
var imports = map[string]string{
	"github.com/clisonix/tidechart/crdt/prose": "a note to render",
	"github.com/clisonix/tidechart/web/paper":  "a copy of one to render",
	"github.com/clisonix/tidechart/web/words":  "what pages say, in the reader's language",
	"github.com/a-h/templ":                     "components",
	"github.com/a-h/templ/runtime":             "what generated components call",
}

// buildImports are those of the asset builder, which is no part of the binary.
var buildImports = map[string]string{
	"github.com/clisonix/tidechart/crdt/prose": "the fingerprint of the schema, compiled into the editor",
	"github.com/evanw/esbuild/pkg/api":         "the bundler",
}

func TestImports(t *testing.T) {
	for dir, allowed := range map[string]map[string]string{".": imports, "build": buildImports} {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pkg.Imports {
			first, _, _ := strings.Cut(path, "/")
			if !strings.Contains(first, ".") { // the standard library
				continue
			}
			if allowed[path] == "" {
				t.Errorf("package %s imports %s", pkg.Name, path)
			}
		}
	}
}

// TestPagesFetchNothing holds pages to what they are given.
func TestPagesFetchNothing(t *testing.T) {
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"database/sql", "net", "os"} {
		if slices.Contains(pkg.Imports, path) {
			t.Errorf("package web imports %s", path)
		}
	}
}
