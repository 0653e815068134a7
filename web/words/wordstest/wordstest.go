// Package wordstest has a language that nobody speaks, made from the catalogue, and finds what on a page is not in it.
package wordstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/clisonix/tidechart/web/words"
)

// Accented is English with an accent on each letter, so that what is left without one did not come from the catalogue.
func Accented(t testing.TB) *words.Language {
	t.Helper()
	c, err := words.CatalogueOf(os.DirFS(filepath.Join(root(t), "web", "words")), words.English+".json")
	if err != nil {
		t.Fatal(err)
	}
	c.Language = "en-XA"
	for i, m := range c.Messages {
		if m.One == "" {
			c.Messages[i].Says = accent(string(m.Text))
		} else {
			c.Messages[i].Forms = map[string]string{"one": accent(string(m.One)), "other": accent(string(m.Text))}
		}
	}
	l, err := words.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// root is the directory of the module.
func root(t testing.TB) string {
	t.Helper()
	for dir := "."; len(dir) < 64; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("the tests are in no module")
	return ""
}

const (
	plain    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	accented = "ÀƁÇÐÉƑĜĤÎĴĶĹṀÑÖÞQŔŠŢÛṼŴẊÝŽàƀçðéƒĝĥîĵķĺṁñöþqŕšţûṽŵẋýž"
)

var part = regexp.MustCompile(`\{\w+\}|</?\w+>`)

// accent puts accents on what is no placeholder and no element.
func accent(s string) string {
	letters := []rune(accented)
	with := func(s string) string {
		return strings.Map(func(r rune) rune {
			if i := strings.IndexRune(plain, r); i >= 0 {
				return letters[i]
			}
			return r
		}, s)
	}
	var b strings.Builder
	at := 0
	for _, p := range part.FindAllStringIndex(s, -1) {
		b.WriteString(with(s[at:p[0]]) + s[p[0]:p[1]])
		at = p[1]
	}
	return b.String() + with(s[at:])
}

// word is one without an accent. A letter alone is none.
var word = regexp.MustCompile(`[\pL\pN_][\pL\pN_’'./-]+`)

// Shown are the attributes that somebody sees or hears.
var Shown = []string{"title", "aria-label", "aria-description", "placeholder", "alt", "data-label"}

// Names is what no language translates.
var Names = []string{"Tidechart", "MRN", "LOINC", "API", "FHIR", "PDF", "HTML", "Markdown", "Alt", "Ctrl", "Esc", "Tab", "Shift", "Enter", "MB", "KB", "GB", "ms", "min", "UTC"}

// Left are the words on a page that are plain English and not in data. Names are not to be there as they are either, though data has their
// words, but for what a note says.
func Left(t testing.TB, page io.Reader, data map[string]bool, names ...string) (left []string) {
	t.Helper()
	node, err := html.ParseWithOptions(page, html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	var visit func(n *html.Node, names []string)
	visit = func(n *html.Node, names []string) {
		switch {
		case n.Type == html.TextNode:
			left = append(left, LeftIn(n.Data, data, names...)...)
		case n.Type == html.ElementNode && slices.Contains([]string{"script", "style", "code", "kbd"}, n.Data):
			return
		}
		for _, a := range n.Attr {
			if a.Key == "translate" && a.Val == "no" {
				return
			}
			if slices.Contains(Shown, a.Key) {
				left = append(left, LeftIn(a.Val, data, names...)...)
			}
			if a.Key == "class" && slices.Contains(strings.Fields(a.Val), "prose") {
				names = nil
			}
		}
		for c := range n.ChildNodes() {
			visit(c, names)
		}
	}
	visit(node, names)
	slices.Sort(left)
	return slices.Compact(left)
}

// LeftIn are those of a text.
func LeftIn(text string, data map[string]bool, names ...string) (left []string) {
	in := " in “" + strings.TrimSpace(text) + "”"
	for _, w := range word.FindAllString(text, -1) {
		w = strings.Trim(w, ".'’-/")
		if len(w) == utf8.RuneCountInString(w) && english.MatchString(w) && !data[w] && !slices.Contains(Names, w) {
			left = append(left, w+in)
		}
	}
	for _, d := range date.FindAllString(text, -1) {
		if !data[d] {
			left = append(left, d+in)
		}
	}
	for _, name := range names {
		if strings.ContainsFunc(name, func(r rune) bool { return r == ' ' || unicode.IsUpper(r) }) && strings.Contains(text, name) || slices.Contains(between.Split(text, -1), name) {
			left = append(left, name+in)
		}
	}
	return left
}

// english is a word with neither accents nor digits.
var english = regexp.MustCompile(`^[A-Za-z][^0-9]+$`)

// between is what stands between parts of a text: a name that is a common word, too, is one of them.
var between = regexp.MustCompile(`\s*(?:[,:;.()]\s+|[,:;.()]?\s*$|^\s*)`)

// date is a date with the name of a month.
var date = regexp.MustCompile(`\b\d\d-[A-Z][a-z][a-z](-\d{4})?\b`)

// Data are the words of all literals of Go files that hold data.
func Data(t testing.TB, files ...string) map[string]bool {
	t.Helper()
	data := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				s, _ := strconv.Unquote(l.Value)
				AddWords(data, s)
			}
			return true
		})
	}
	return data
}

// AddWords adds those of a text that is data.
func AddWords(data map[string]bool, text string) {
	for _, w := range word.FindAllString(text, -1) {
		w = strings.Trim(w, ".'’-/")
		data[w], data[strings.ToUpper(w)] = true, true
	}
}
