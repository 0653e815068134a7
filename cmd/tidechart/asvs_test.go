package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asvs are the items of levels 1 and 2 of ASVS 5.0.0, by section.
const asvs = `1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1-1 3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2
	4.1.1-3 4.2.1-1 4.3.1-2 4.4.1-4 5.1.1-1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4
	7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1-1 8.4.1-1 9.1.1-3 9.2.1-4 10.1.1-2 10.2.1-2 10.3.1-4
	10.4.1-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1-1 11.6.1-1 12.1.1-3 12.2.1-2 12.3.1-4
	13.1.1-1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 16.1.1-1 16.2.1-5 16.3.1-4
	16.4.1-3 16.5.1-3`

// asvsL3 are the items of level 3 that the project means to keep; 3.4.3 and 16.3.2 ask for more at that level.
var asvsL3 = []string{"1.2.10", "3.4.7", "3.4.8", "7.5.3", "8.3.2", "11.1.4", "11.2.4", "11.3.4", "12.1.5", "13.3.3"}

// TestASVS: docs/security/asvs.md speaks of every item once, and of tests that there are.
func TestASVS(t *testing.T) {
	page, err := os.ReadFile("../../docs/security/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	claimed, rest, found := strings.Cut(string(page), "\n## Not claimed yet\n")
	if !found {
		t.Fatal("there is no part about what is not claimed")
	}
	item, named := regexp.MustCompile(`^\d+\.\d+\.\d+$`), make(map[string]int)
	for line := range strings.Lines(claimed + rest) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for id := range strings.SplitSeq(cells[1], ",") {
			id, third := strings.CutSuffix(strings.TrimSpace(id), " (L3)")
			if !item.MatchString(id) {
				continue
			}
			if named[id]++; third != slices.Contains(asvsL3, id) {
				t.Errorf("item %s is of another level", id)
			}
		}
		if len(cells) == 5 && !strings.HasPrefix(cells[1], "--") && cells[1] != " Items " {
			checkTests(t, strings.TrimSpace(cells[1]), cells[3])
		}
	}
	for _, id := range append(asvsItems(t), asvsL3...) {
		if named[id] != 1 {
			t.Errorf("item %s is named %d times", id, named[id])
		}
		delete(named, id)
	}
	if len(named) > 0 {
		t.Errorf("there are no items %v", slices.Sorted(maps.Keys(named)))
	}
}

func asvsItems(t *testing.T) []string {
	t.Helper()
	var items []string
	for section := range strings.FieldsSeq(asvs) {
		var a, b, last int
		if _, err := fmt.Sscanf(section, "%d.%d.1-%d", &a, &b, &last); err != nil {
			t.Fatal(section, err)
		}
		for i := range last {
			items = append(items, fmt.Sprintf("%d.%d.%d", a, b, i+1))
		}
	}
	return items
}

// checkTests looks for the tests of a claim: "`package`: `TestA`, `TestB`; `package`: …".
func checkTests(t *testing.T, items, shownBy string) {
	t.Helper()
	quoted := regexp.MustCompile("`([^`]+)`")
	for part := range strings.SplitSeq(shownBy, ";") {
		names := quoted.FindAllStringSubmatch(part, -1)
		if len(names) < 2 {
			t.Errorf("%s: %q names no package and tests", items, part)
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(names[0][1]), "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: package %s has no tests: %v", items, names[0][1], err)
			continue
		}
		var source strings.Builder
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
		for _, name := range names[1:] {
			if !strings.Contains(source.String(), "\nfunc "+name[1]+"(") {
				t.Errorf("%s: %s has no %s", items, names[0][1], name[1])
			}
		}
	}
}
