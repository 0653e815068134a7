package crdt

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The document is pure (I12): it can be fuzzed, replayed and moved between
// machines only if nothing but its inputs decides what it becomes.
var banned = map[string]string{
	"time":         "a clock would make replicas differ; callers pass times in",
	"math/rand":    "randomness would make replicas differ; callers pass client ids in",
	"math/rand/v2": "randomness would make replicas differ; callers pass client ids in",
	"crypto/rand":  "randomness would make replicas differ; callers pass client ids in",
	"os":           "a document does no I/O",
	"net":          "a document does no I/O",
	"log":          "a document's content is a patient's",
	"log/slog":     "a document's content is a patient's",
	"sync":         "one goroutine owns a document; a lock would hide a second",
	"unsafe":       "input is hostile",
}

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
			if why, ok := banned[path]; ok {
				t.Errorf("%s imports %s: %s", f.Name(), path, why)
			}
			if strings.Contains(strings.Split(path, "/")[0], ".") {
				t.Errorf("%s imports %s: the engine is usable on its own, with the standard library only", f.Name(), path)
			}
		}
	}
}
