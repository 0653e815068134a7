package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoArgumentIsTakenForAQuery: the generated functions call their query by a name that an argument can have too; then
// what somebody typed would be sent as the query.
func TestNoArgumentIsTakenForAQuery(t *testing.T) {
	files, err := filepath.Glob("queries/*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	function := regexp.MustCompile(`func \(q \*Queries\) (\w+)\(ctx context\.Context, ([^)]*)\)`)
	seen := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			seen++
			query := strings.ToLower(m[1][:1]) + m[1][1:]
			if regexp.MustCompile(`(^|, )` + query + ` `).MatchString(m[2]) {
				t.Errorf("%s: an argument of %s is called as its query", name, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d functions found", seen)
	}
}
