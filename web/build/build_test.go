package main

import (
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/clisonix/tidechart/internal/needs"
)

const rebuild = "run: go run ./web/build"

func built(t *testing.T) (root string, files map[string][]byte) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	needs.Node(t, "yjs")
	files, err = build(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, files
}

func TestDistIsWhatTheSourcesGive(t *testing.T) {
	root, files := built(t)
	dir := filepath.Join(root, "web", "dist")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
		got, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := files[e.Name()]; ok && !bytes.Equal(got, want) {
			t.Errorf("web/dist/%s differs from its sources; %s", e.Name(), rebuild)
		}
	}
	if want := slices.Sorted(maps.Keys(files)); !slices.Equal(have, want) {
		t.Errorf("web/dist holds %v, its sources give %v; %s", have, want, rebuild)
	}
}

func TestBuildIsTheSameEveryTime(t *testing.T) {
	root, first := built(t)
	_, second := built(t)
	if !maps.EqualFunc(first, second, bytes.Equal) {
		t.Error("two builds of the same sources differ")
	}
	for name, body := range first {
		if bytes.Contains(body, []byte(root)) {
			t.Errorf("%s holds the path of the directory it was built in", name)
		}
		if bytes.Contains(body, []byte("sourceMappingURL=")) && !strings.HasPrefix(name, "swagger-ui") {
			t.Errorf("%s names a source map", name)
		}
	}
}

// TestBudget keeps pages light: a ward's computers are old and its network is
// shared. Sizes are of gzip, in bytes, of all scripts and styles of the page.
func TestBudget(t *testing.T) {
	_, files := built(t)
	pages := []struct {
		name    string
		entries []string
		max     int
	}{
		{"sign-in, sessions, errors", nil, 45 << 10},
		{"sign-in with passkeys", []string{"passkey"}, 45 << 10},
		{"worklist", []string{"worklist"}, 45 << 10},
		{"history", []string{"history"}, 45 << 10},
		{"two versions", []string{"compare"}, 45 << 10},
		{"board", []string{"board"}, 45 << 10},
		{"note, beyond what every page has", []string{"editor"}, 200 << 10},
	}
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			names := p.entries
			if !slices.Contains(names, "editor") {
				names = append([]string{"app", "theme"}, names...)
			}
			if got := weight(t, files, names); got > p.max {
				t.Errorf("%d bytes of gzip, more than %d", got, p.max)
			}
		})
	}
}

var chunk = regexp.MustCompile(`chunk-[A-Z0-9]+\.js`)

// weight sums the files that begin with these names, and their chunks.
func weight(t *testing.T, files map[string][]byte, names []string) int {
	t.Helper()
	wanted := map[string]bool{}
	for file, body := range files {
		stem, _, _ := strings.Cut(file, "-")
		if !slices.Contains(names, stem) {
			continue
		}
		wanted[file] = true
		for _, c := range chunk.FindAllString(string(body), -1) {
			wanted[c] = true
		}
	}
	if len(wanted) < len(names) {
		t.Fatalf("found only %v of %v", wanted, names)
	}
	total := 0
	for file := range wanted {
		var out bytes.Buffer
		z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(files[file]); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		total += out.Len()
	}
	return total
}

func TestLicensesNameWhatIsShipped(t *testing.T) {
	_, files := built(t)
	text := string(files["LICENSES.txt"])
	for _, name := range []string{
		"@fontsource-variable/atkinson-hyperlegible-next 5.3.0", "@hocuspocus/provider 4.8.0",
		"@tiptap/core 3.31.3", "basecoat-css 1.0.2", "htmx.org 4.0.1", "swagger-ui-dist 5.35.0", "yjs 13.6.33",
	} {
		if !strings.Contains(text, name+" (") {
			t.Errorf("LICENSES.txt does not name %s", name)
		}
	}
}

// TestScripts runs the tests that stand beside the scripts, under Node.
func TestScripts(t *testing.T) {
	node := needs.Node(t, "yjs")
	root, _ := built(t)
	tests, err := filepath.Glob(filepath.Join(root, "web", "src", "*.test.ts"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests found: %v", err)
	}
	dir := t.TempDir()
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: root,
		EntryPoints:   tests,
		Outdir:        dir,
		OutExtension:  map[string]string{".js": ".mjs"},
		Bundle:        true,
		Write:         true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformNode,
		Target:        api.ES2022,
		LogLevel:      api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		t.Fatal(messages(result.Errors))
	}
	out, err := exec.CommandContext(t.Context(), node, "--test", dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// A run that found nothing to test passes too.
	if !regexp.MustCompile(`(?m)^# pass [1-9]`).Match(out) && !regexp.MustCompile(`(?m)^ℹ pass [1-9]`).Match(out) {
		t.Errorf("no test ran:\n%s", out)
	}
}

// TestTypes checks the scripts' types.
func TestTypes(t *testing.T) {
	node := needs.Node(t, "typescript")
	root, _ := built(t)
	tsc := filepath.Join(root, "node_modules", "typescript", "bin", "tsc")
	if out, err := exec.CommandContext(t.Context(), node, tsc, "-p", filepath.Join(root, "web", "tsconfig.json")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
