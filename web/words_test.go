package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/web/words"
	"github.com/clisonix/tidechart/web/words/wordstest"
)

// TestPagesInAnotherLanguage: in a language that has all of the catalogue, pages say nothing in English but what they are given.
func TestPagesInAnotherLanguage(t *testing.T) {
	ctx := words.In(t.Context(), wordstest.Accented(t))
	samples, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	data := wordstest.Data(t, samples...)
	var named []string
	for _, name := range names {
		named = append(named, string(name))
	}
	for _, kind := range notekind.Kinds {
		named = append(named, string(kind.Name))
	}
	for path, page := range samplePages() {
		var b strings.Builder
		if err := page.Render(ctx, &b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "<html") && !strings.Contains(b.String(), `<html lang="en-XA"`) {
			t.Errorf("%s does not name its language", path)
		}
		for _, left := range wordstest.Left(t, strings.NewReader(b.String()), data, named...) {
			if !strings.HasSuffix(left, "– Tidechart”") { // samples are given their titles
				t.Errorf("%s: %s", path, left)
			}
		}
	}
}

// TestNamesInAnotherLanguage: what is stored in English is said in parts, and what is none of it stays as it is.
func TestNamesInAnotherLanguage(t *testing.T) {
	ctx := words.In(t.Context(), wordstest.Accented(t))
	for got, want := range map[string]string{
		Titled(ctx, "Correction: Late entry: Progress note"): "Çöŕŕéçţîöñ: Ĺàţé éñţŕý: Þŕöĝŕéšš ñöţé",
		Titled(ctx, "Progress notes"):                        "Progress notes",
		NamedAll(ctx, "unit, team"):                          "ûñîţ, ţéàṁ",
		Device(ctx, "Safari on an iPhone"):                   "Safari öñ àñ îÞĥöñé",
		Device(ctx, "Firefox"):                               "Firefox",
		Device(ctx, "token “Progress note”"):                 "ţöķéñ “Progress note”",
		Kept(ctx, "Progress note"):                           "Progress note", // somebody's words
		Patient{Family: "(does not open)"}.bannerName(ctx):   "(ÐÖÉŠ ÑÖŢ ÖÞÉÑ)",
		Titled(t.Context(), "Correction: Progress note"):     "Correction: Progress note",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestScriptsInAnotherLanguage: a page brings what its scripts say, and in English nothing.
func TestScriptsInAnotherLanguage(t *testing.T) {
	var b strings.Builder
	board, ctx := Board(boardSample()), words.In(t.Context(), wordstest.Accented(t))
	if err := board.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]bool{
		`"Signing out in {seconds} seconds":"Šîĝñîñĝ öûţ îñ {seconds} šéçöñðš"`:                          true, // of app.js
		`"{shown} of {n} bed shown{shown} of {n} beds shown":{"few":"{shown} öƒ {n} ƀéðš šĥöŵñ","many":`: true,
		`Text of the note`: false, // of the editor
	} {
		if strings.Contains(b.String(), part) != want {
			t.Errorf("the board has %s: %v", part, !want)
		}
	}
	note := noteSample(chen, true)
	note.Sections = []string{"Plan", "Something"}
	if got, want := note.sections(t.Context())+note.sections(ctx), `[["Plan"],["Something"]][["Plan","Þĺàñ"],["Something"]]`; got != want {
		t.Errorf("sections are %s, want %s", got, want)
	}
	if html := render(t, board); strings.Contains(html, `id="words"`) {
		t.Error("an English page brings words for its scripts")
	}
}

// TestNoTextStandsOutside: what templates write as it stands has no words. Names, and what looks the same in every language, may stand there.
func TestNoTextStandsOutside(t *testing.T) {
	files, err := filepath.Glob("*_templ.go")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d templates, %v", len(files), err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				for _, text := range wordsIn(written(f)) {
					t.Errorf("%s: %s has text outside the catalogue: %q", strings.Replace(name, "_templ.go", ".templ", 1), f.Name.Name, text)
				}
			}
		}
	}
	if got := wordsIn(`<p class="quiet" title="A title">Some words, <b>Tidechart</b> ` + "\x00" + `<kbd>Alt</kbd> and</p><script>let it be</script>`); !slices.Equal(got, []string{"A title", "Some words,", "and"}) {
		t.Errorf("the test finds %q", got)
	}
}

// written is the HTML of a component, with a NUL where something is put in.
func written(f *ast.FuncDecl) string {
	var b strings.Builder
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if what, ok := call.Fun.(*ast.SelectorExpr); ok && what.Sel.Name == "WriteString" {
			if l, ok := call.Args[len(call.Args)-1].(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(l.Value)
				b.WriteString(s)
			} else {
				b.WriteByte(0)
			}
		}
		return true
	})
	return b.String()
}

var someWord = regexp.MustCompile(`[A-Za-z]{2,}`)

// wordsIn are the texts of HTML that somebody reads and that have a word.
func wordsIn(page string) (found []string) {
	look := func(s string) {
		for _, text := range strings.Split(s, "\x00") {
			text = strings.TrimSpace(text)
			if slices.ContainsFunc(someWord.FindAllString(text, -1), func(w string) bool { return !slices.Contains(wordstest.Names, w) }) {
				found = append(found, text)
			}
		}
	}
	z := html.NewTokenizer(strings.NewReader(strings.ReplaceAll(page, "noscript", "div"))) // what it holds is text to a tokenizer
	for within := ""; ; {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.TextToken:
			if !slices.Contains([]string{"script", "style", "kbd", "code"}, within) {
				look(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			within = tag.Data
			for _, a := range tag.Attr {
				if slices.Contains(wordstest.Shown, a.Key) {
					look(a.Val)
				}
			}
		case html.EndTagToken:
			within = ""
		}
	}
}
