package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axePath is the accessibility checker, from npm.
const axePath = "../node_modules/axe-core/axe.min.js"

// off is what the checker is told of a rule.
var off = map[string]bool{"enabled": false}

// ofColors are the checker's rules whose findings depend on the theme.
var ofColors = []string{"color-contrast", "link-in-text-block"}

// TestPagesAreAccessible: axe finds no violation on any page of places, which are all pages of the server, light and dark; none is to be
// looked at sideways on a phone; and no page breaks its own policy or writes errors to the console. Somebody writes meanwhile in the note
// that they are about: carets, names and live rows are part of the pages.
func TestPagesAreAccessible(t *testing.T) {
	axe := axeScript(t)
	s := shared.get(t)
	scene := sceneOf(t, s)
	note := scene.Replace("{note}")
	n := startNode(t)
	token := s.token(t, "rivera")
	rivera := n.connect("rivera", hocuspocusV4, s, note, token, s.schema(t, token)) // there are tasks in it
	rivera.wait(want{"synced": true})
	n.must("rivera", "append", map[string]any{"text": "Patient is comfortable."}, nil)
	rivera.wait(want{"unsynced": 0})
	meanwhile := map[string]string{
		"note":  `document.querySelector('#presence').textContent.includes('Rosa Rivera')`,
		"board": exists("#board [data-writing]"),
	}
	byUser := map[string][]place{}
	for _, p := range places {
		byUser[p.user] = append(byUser[p.user], p)
	}
	windows := make(chan struct{}, atOnce/2)
	for user, theirs := range byUser {
		t.Run(cmp.Or(user, "nobody"), func(t *testing.T) {
			t.Parallel()
			windows <- struct{}{}
			defer func() { <-windows }()
			w := openWindow(t, s, user)
			if user != "" {
				w.signIn(user, password)
			}
			w.allow("404 (Not Found)", "403 (Forbidden)")
			for i, p := range theirs {
				// Each comes in one theme by itself, and is looked at in both.
				first, second := "light", "dark"
				if i%2 == 1 {
					first, second = second, first
				}
				w.colorScheme(first)
				w.visit(scene.Replace(p.path))
				w.waitFor(p.name, exists(p.ready))
				if also := meanwhile[p.name]; also != "" {
					w.waitFor(p.name+", with who writes", also)
				}
				if p.name == "note" {
					w.caretAtEnd(0)
					n.must("rivera", "append", map[string]any{"text": "And awake."}, nil) // her caret and selection are drawn
				}
				if dark := eval[bool](w, `document.documentElement.classList.contains('dark')`); dark != (first == "dark") {
					t.Errorf("%s: the page is dark: %v", p.name, dark)
				}
				for _, v := range w.axe(axe) {
					t.Errorf("%s, %s: %s", p.name, first, v)
				}
				// What is folded away keeps the colours of the theme that it was folded in.
				w.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d => { d.open = true })`))
				w.colorScheme(second)
				w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.documentElement.classList.toggle('dark', %v)`, second == "dark")))
				for _, v := range w.axe(axe, ofColors...) {
					t.Errorf("%s, %s: %s", p.name, second, v)
				}
				w.fits(p.name, 1280)
				w.do(chromedp.EmulateViewport(360, 900))
				w.fits(p.name, 360)
				w.do(chromedp.EmulateViewport(1280, 900))
			}
		})
	}
}

// fits finds what a page shows beyond the window's edge, and text that it cuts off.
func (w *window) fits(name string, width int) {
	w.t.Helper()
	found := eval[[]string](w, `[...(document.documentElement.scrollWidth > innerWidth ? [document.documentElement.scrollWidth + ' pixels of page'] : []), ...`+cutText+`.map(e => 'cut: ' + e)]`)
	for _, what := range found {
		w.t.Errorf("%s, %d pixels wide: %s", name, width, what)
	}
}

// unitPath is the id of the unit whose board the worklist links to.
func unitPath(t *testing.T, w *window) string {
	t.Helper()
	w.visit("/")
	href := eval[string](w, `document.querySelector('a[href^="/units/"]').getAttribute('href')`)
	return strings.TrimPrefix(href, "/units/")
}

// colorScheme tells pages what the system prefers.
func (w *window) colorScheme(scheme string) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// axe returns what the checker finds wrong with the page, one text each; with rules, by these alone.
func (w *window) axe(script []byte, rules ...string) []string {
	w.t.Helper()
	w.waitFor("what moves at rest", `document.getAnimations().every(a => a.playState !== 'running')`) // where a dialog is, tells what is behind it
	if !eval[bool](w, `'axe' in window`) {
		w.do(chromedp.Evaluate[chromedp.Void](string(script)))
	}
	options, what := map[string]any{"resultTypes": []string{"violations"}, "preload": false}, "document"
	if eval[bool](w, exists("#swagger-ui")) { // whose markup and colours are not ours to mend
		what = `{exclude: ['#swagger-ui']}`
		options["rules"] = map[string]any{"landmark-no-duplicate-main": off, "landmark-unique": off}
	}
	if len(rules) > 0 {
		options["runOnly"] = rules
		delete(options, "rules")
	}
	asked, err := json.Marshal(options)
	if err != nil {
		w.t.Fatal(err)
	}
	result := eval[[]byte](w, `axe.run(`+what+`, `+string(asked)+`).then(r => r.violations.map(v => ({
		id: v.id, help: v.help, nodes: v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)})))`)
	var violations []struct {
		ID    string   `json:"id"`
		Help  string   `json:"help"`
		Nodes []string `json:"nodes"`
	}
	if err := json.Unmarshal(result, &violations); err != nil {
		w.t.Fatal(err)
	}
	var found []string
	for _, v := range violations {
		found = append(found, fmt.Sprintf("%s (%s):\n\t%s", v.ID, v.Help, strings.Join(v.Nodes, "\n\t")))
	}
	return found
}
