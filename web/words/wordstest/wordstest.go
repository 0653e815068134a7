// Package wordstest has a language that nobody speaks, made from the catalogue, and finds what on a page is not in it.
package wordstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/clisonix/tidechart/web/words"
)

// Accented is English with an accent on each letter, so that what is left without one did not come from the catalogue.
func Accented(t testing.TB) *words.Language {
	t.Helper()
	c, err := words.Shipped()
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
var Names = []string{"Tidechart", "MRN", "LOINC", "API", "FHIR", "PDF", "HTML", "Markdown", "Alt", "Ctrl", "Esc", "Tab", "Shift", "Enter", "MB", "KB", "GB", "ms", "min"}

// Left are the words on a page that are plain English and not in data.
func Left(t testing.TB, page io.Reader, data map[string]bool) (left []string) {
	t.Helper()
	node, err := html.ParseWithOptions(page, html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	look := func(s string) {
		for _, w := range word.FindAllString(s, -1) {
			w = strings.Trim(w, ".'’-/")
			if len(w) == utf8.RuneCountInString(w) && english.MatchString(w) && !data[w] && !slices.Contains(Names, w) && !date.MatchString(w) {
				left = append(left, w+" in “"+strings.TrimSpace(s)+"”")
			}
		}
	}
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			look(n.Data)
		case n.Type == html.ElementNode && slices.Contains([]string{"script", "style", "code", "kbd"}, n.Data):
			return
		}
		for _, a := range n.Attr {
			if slices.Contains(Shown, a.Key) {
				look(a.Val)
			}
		}
		for c := range n.ChildNodes() {
			visit(c)
		}
	}
	visit(node)
	slices.Sort(left)
	return slices.Compact(left)
}

// english is a word with neither accents nor digits.
var english = regexp.MustCompile(`^[A-Za-z][^0-9]+$`)

// date is what of a date has letters, by the rules of the NHS.
var date = regexp.MustCompile(`^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$`)

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
				for _, w := range word.FindAllString(s, -1) {
					w = strings.Trim(w, ".'’-/")
					data[w], data[strings.ToUpper(w)] = true, true
				}
			}
			return true
		})
	}
	return data
}
