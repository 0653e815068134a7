package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axePath is the accessibility checker, from npm.
const axePath = "../node_modules/axe-core/axe.min.js"

// TestPagesAreAccessible: axe finds no violation on any page, light and
// dark, and no page breaks its own policy or writes errors to the console.
func TestPagesAreAccessible(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatalf("axe-core is needed, from `npm ci`: %v", err)
	}
	s := shared.get(t)
	token := s.token(t, "chen")
	seeded := s.notes(t, token)[0]
	note := s.newNoteFor(t, token, seeded.Patient.ID, "progress").ID

	// Somebody writes in the note while it is looked at: carets, names and the
	// board's and the sessions' live rows are part of the pages.
	n := startNode(t)
	rivera := n.connect("rivera", hocuspocusV4, s, note, s.token(t, "rivera"))
	rivera.wait(want{"synced": true})
	rivera.fresh()
	rivera.insert(0, "Patient is comfortable.")
	rivera.wait(want{"unsynced": 0})

	anonymous, chen, novak := openWindow(t, s, "anonymous"), signedIn(t, s, "chen"), signedIn(t, s, "novak")
	for _, p := range []struct {
		name string
		w    *window
		path string
		// ready is an expression that is true when the page is complete.
		ready string
	}{
		{"sign-in", anonymous, "/login", exists("#password")},
		{"enrolment", anonymous, "/enrol", exists("#new-password")},
		{"own sign-in", chen, "/security", exists("#logins")},
		{"confirmation", chen, "/confirm", exists("#password")},
		{"worklist", chen, "/", exists("#worklist")},
		{"note", chen, "/notes/" + note, statusIs("saved") + ` && document.querySelector('#presence').textContent.includes('Rosa Rivera')`},
		{"history", chen, "/notes/" + note + "/history", exists("#past .by")},
		{"export", chen, "/notes/" + note + "/export", exists(".export-ways a")},
		{"print", chen, "/notes/" + note + "/print", exists("#print-now:not([hidden])")},
		{"phrases", chen, "/phrases", exists(".phrase-list details")},
		{"retention", novak, "/retention", exists("#classes-heading")},
		{"board", chen, "/units/" + seeded.Unit, exists("#board [data-writing]")},
		{"sessions", novak, "/admin/sessions", exists("table.sessions")},
		{"people", novak, "/admin/people", exists("#people")},
		{"person", novak, s.about(t, "chen"), exists("#work")},
		{"new person", novak, "/admin/add", exists("#add")},
		{"units", novak, "/admin/units", exists("#units")},
	} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(p.name+" "+scheme, func(t *testing.T) {
				p.w.colorScheme(scheme)
				p.w.visit(p.path)
				p.w.waitFor("the page", p.ready)
				if p.name == "note" {
					p.w.caretAtEnd(0)
					rivera.insert(-1, " And awake.") // her caret and selection are drawn
				}
				if dark := eval[bool](p.w, `document.documentElement.classList.contains('dark')`); dark != (scheme == "dark") {
					t.Errorf("the page is dark: %v", dark)
				}
				for _, v := range p.w.axe(axe) {
					t.Error(v)
				}
			})
		}
	}
}

// about is the page about somebody, whom its address does not name.
func (s *server) about(t *testing.T, username string) string {
	t.Helper()
	var id string
	if err := s.db(t).QueryRow(t.Context(), `SELECT id::text FROM person WHERE username = $1`, username).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return "/admin/people/" + id
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

// axe returns what the checker finds wrong with the page, one text each.
func (w *window) axe(script []byte) []string {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](string(script)))
	result := eval[[]byte](w, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => ({
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
