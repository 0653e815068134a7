package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestPrune: what applies to nothing on any page goes; what may apply to something stays, as it was.
func TestPrune(t *testing.T) {
	used := map[string]bool{"btn": true, "dark": true}
	for css, want := range map[string]string{
		`.btn{color:red}.card{color:blue}`:                                             `.btn{color:red}`,
		`.card,.btn:not(.card),a{x:y}`:                                                 `.btn:not(.card),a{x:y}`,
		`@layer a, b;@layer a{.card{x:y}}@media (width>1px){.card{x:y}}`:               `@layer a, b;@layer a{}`,
		`.btn{x:y;&:hover{c:d}.card &{e:f}}`:                                           `.btn{x:y;&:hover{c:d}}`,
		`.btn .card{x:y}.dark .btn{x:y}/* .btn { */`:                                   `.dark .btn{x:y}`,
		`@keyframes k{from{a:b}50%{a:c}to{a:d}}`:                                       `@keyframes k{from{a:b}50%{a:c}to{a:d}}`,
		`.btn[title="}"]{background:url("data:image/svg+xml;x{}")}`:                    `.btn[title="}"]{background:url("data:image/svg+xml;x{}")}`,
		`:is(.card,.btn){x:y}.btn\:hover{x:y}@property --p{syntax:"*";inherits:false}`: `:is(.card,.btn){x:y}@property --p{syntax:"*";inherits:false}`,
	} {
		got, err := prune(css, used)
		if err != nil || got != want {
			t.Errorf("%s\n gives %s, %v\n want  %s", css, got, err, want)
		}
	}
	if _, err := prune(`.btn{x:y}}`, used); err == nil {
		t.Error("a brace too many is no error")
	}
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // what a test that failed has left running keeps Node from ending
	defer cancel()
	out, err := exec.CommandContext(ctx, node, "--test", dir).CombinedOutput()
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
