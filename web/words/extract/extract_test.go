package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/web/words"
)

func TestCatalogueIsWhatTheCodeSays(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	english, err := catalogue(root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := written(english)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "web", "words", words.English+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("web/words/en.json is not what the code says; run: go run ./web/words/extract")
	}
}

// TestMessagesAreFound: in Go by their type, wherever they stand, and in scripts by the call; with which scripts lead there.
func TestMessagesAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"web/words/words.go": "package words\n\nimport \"context\"\n\ntype Text string\n\nfunc Say(ctx context.Context, text Text, values ...string) string { return \"\" }\n\nfunc Count(ctx context.Context, n int, one, many Text, values ...string) string { return \"\" }\n",
		"web/page.go": "package web\n\nimport \"" + wordsPkg + "\"\n\nvar table = map[string]words.Text{\"key\": \"In a table\"}\n\nconst half = \"Of two \"\n\n" +
			"func says() string { _ = \"no message\"; return words.Say(ctx, half+\"halves\", words.Count(ctx, 2, \"{n} bed\", \"{n} beds of {unit}\", words.Say(ctx, \"inner\"))) }\n",
		"web/page_templ.go": "package web\n\nimport (\n\"net/http\"\n\"" + wordsPkg + "\"\n)\n\nvar ctx = new(http.Request).Context()\n\nfunc Page() { _ = map[int]words.Text{http.StatusOK: \"Fine\"}; println(words.Say(ctx, \"On a page\")) }\n",
		"web/src/board.ts":  "import { say } from './say.ts'\nimport './deep.ts'\nsay('It\\'s {so}', x)\nthis.#say('not this')\n",
		"web/src/deep.ts":   "const later = () => import('./lazy.ts')\nsayCount(all.length, '{n} row', \"{n} rows\")\n",
		"web/src/lazy.ts":   "say(\n  \"Only when it is needed\",\n)\n",
		"web/src/say.ts":    "export function say(text: string) {}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "server"), 0o700); err != nil {
		t.Fatal(err)
	}
	all := found{}
	if err := all.goCode(dir); err != nil {
		t.Fatal(err)
	}
	if err := all.scripts(filepath.Join(dir, "web", "src")); err != nil {
		t.Fatal(err)
	}
	board := []string{"board.js"}
	want := []words.Message{
		{Text: "Fine", In: []string{"web/page.templ Page"}},
		{Text: "In a table", In: []string{"web/page.go"}},
		{Text: "It's {so}", In: []string{"web/src/board.ts"}, Scripts: board},
		{Text: "Of two halves", In: []string{"web/page.go says"}},
		{Text: "On a page", In: []string{"web/page.templ Page"}},
		{Text: "Only when it is needed", In: []string{"web/src/lazy.ts"}, Scripts: board},
		{Text: "inner", In: []string{"web/page.go says"}},
		{Text: "{n} beds of {unit}", One: "{n} bed", In: []string{"web/page.go says"}},
		{Text: "{n} rows", One: "{n} row", In: []string{"web/src/deep.ts"}, Scripts: board},
	}
	same := func(a, b words.Message) bool {
		return a.Text == b.Text && a.One == b.One && slices.Equal(a.In, b.In) && slices.Equal(a.Scripts, b.Scripts)
	}
	if got := all.messages(); !slices.EqualFunc(got, want, same) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestTranslationsFollow: a translation gets what is said anew, keeps what it has, and loses nothing that somebody translated.
func TestTranslationsFollow(t *testing.T) {
	english := words.Catalogue{Language: "en", Messages: []words.Message{
		{Text: "New", In: []string{"web/page.go"}}, {Text: "Sign", In: []string{"web/page.go"}, Scripts: []string{"app.js"}}, {Text: "{n} beds", One: "{n} bed"},
	}}
	forms := map[string]string{"one": "{n} łóżko", "other": "{n} łóżka"}
	now, translated, gone := merged(words.Catalogue{Language: "pl", Messages: []words.Message{
		{Text: "Gone", In: []string{"web/old.go"}, Says: "Nie ma"}, {Text: "Never translated"}, {Text: "Sign", Says: "Podpisz"}, {Text: "{n} beds", One: "{n} bed", Forms: forms},
	}}, english)
	got, err := written(now)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := written(words.Catalogue{Language: "pl", Messages: []words.Message{
		{Text: "New", In: []string{"web/page.go"}},
		{Text: "Sign", In: []string{"web/page.go"}, Scripts: []string{"app.js"}, Says: "Podpisz"},
		{Text: "{n} beds", One: "{n} bed", Forms: forms},
		{Text: "Gone", Says: "Nie ma"},
	}})
	if string(got) != string(want) || translated != 2 || gone != 1 {
		t.Errorf("got %s\nwant %s, %d translated, %d gone", got, want, translated, gone)
	}
}

// TestNoTextOfScriptsStandsOutside: what a script writes that begins as a sentence does, or a name on a button, is in the catalogue.
func TestNoTextOfScriptsStandsOutside(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "src", "*.ts"))
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d scripts, %v", len(files), err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".test.ts") {
			continue
		}
		for _, text := range unsaid(string(source)) {
			t.Errorf("%s has text outside the catalogue: %q", filepath.Base(name), text)
		}
	}
	if got := unsaid("// 'No text'\nimport 'Module'\nsay('In the catalogue'); f(`It has ${n} words`, 'Escape', \"Nobody\", 'class names')"); !slices.Equal(got, []string{"It has ${n} words", "Nobody"}) {
		t.Errorf("the test finds %q", got)
	}
}

var (
	comments = regexp.MustCompile(`(?m)(^|\s)//.*$|(?s:/\*.*?\*/)|^import .*$|throw new Error\(.*`)
	quoted   = regexp.MustCompile("'((?:[^'\\\\\n]|\\\\.)*)'|\"((?:[^\"\\\\\n]|\\\\.)*)\"|`([^`]*)`")
	readable = regexp.MustCompile(`^[A-Z][a-z]+( [a-z].*|[.,:…]? ?)$`)
)

// keysAndHeaders are what scripts name of browsers and of HTTP.
var keysAndHeaders = []string{"Alt", "Ctrl", "Enter", "Escape", "Esc", "Shift", "Tab", "Delete", "Backspace", "Home", "End", "Space", "Accept", "Mod"}

// unsaid are texts of a script that somebody reads and that have no translation.
func unsaid(source string) (found []string) {
	source = saying.ReplaceAllString(counting.ReplaceAllString(comments.ReplaceAllString(source, ""), ""), "")
	for _, m := range quoted.FindAllStringSubmatch(source, -1) {
		if text := m[1] + m[2] + m[3]; readable.MatchString(text) && !slices.Contains(keysAndHeaders, text) {
			found = append(found, text)
		}
	}
	return found
}
