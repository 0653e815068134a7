package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// suggested is an expression for what a window shows as suggested.
const suggested = `[...document.querySelectorAll('#note-body .suggested')].map(e => (e.localName === 'del' ? '-' : '+') + e.textContent.replaceAll('\u2060', '')).join('|')`

// suggests waits until just this is shown as suggested.
func (w *window) suggests(what string) {
	w.t.Helper()
	if err := w.tryFor(suggested + ` === ` + quoteJS(what)); err != nil {
		w.t.Fatalf("in %s's window %q is suggested, not %q, in:\n%s", w.name, eval[string](w, suggested), what, w.text())
	}
}

// suggestionsSay waits until the bar of the suggestions has said something.
func (w *window) suggestionsSay(what string) {
	w.t.Helper()
	if err := w.tryFor(`document.querySelector('#suggestions').textContent.includes(` + quoteJS(what) + `)`); err != nil {
		w.t.Fatalf("in %s's window the bar does not say %q, but %q", w.name, what, eval[string](w, `document.querySelector('#suggestions').innerText`))
	}
}

func (w *window) alt(key string) {
	w.t.Helper()
	w.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierAlt)))
}

// wordsOf is who wrote which text of a note, as the API says.
func (s *server) wordsOf(t *testing.T, token, note string) string {
	t.Helper()
	_, body := s.api(t, apiRequest{method: http.MethodGet, path: "/notes/" + note + "/authors", token: token})
	var answer struct {
		People []struct{ ID, Name string }
		Blocks []struct {
			Spans []struct{ Text, Author string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, b := range answer.Blocks {
		for _, span := range b.Spans {
			for _, p := range answer.People {
				if p.ID == span.Author {
					all.WriteString(p.Name + ": " + span.Text + "\n")
				}
			}
		}
	}
	return all.String()
}

// TestSuggestions: a nurse suggests another dose, and to take a word out, in a resident's note; nothing of the resident's goes. It cannot be
// signed until the resident has accepted the one and rejected the other, by the keyboard alone. What is accepted stays the nurse's word, the
// letter as well with which both begin.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "okafor")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	okafor, rivera := byKeyboard(t, s, "okafor"), byKeyboard(t, s, "rivera")
	okafor.openNote(note)
	rivera.openNote(note)
	okafor.tabTo(noteEditor)
	okafor.stands("Subjective")
	okafor.down(1)
	okafor.stands("")
	okafor.types("Furosemide 40 mg at noon. Walked twice.")
	okafor.waitStatus("saved")
	rivera.waitContains("Walked twice.")

	rivera.selects("40")
	rivera.do(chromedp.KeyEvent("E", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierShift)))
	rivera.waitFor("that she suggests", `document.querySelector('#toolbar [data-command="suggest"]').getAttribute('aria-pressed') === 'true'`)
	rivera.suggestionsSay("You are suggesting")
	rivera.types("400")
	rivera.do(chromedp.KeyEvent(kb.Backspace))
	rivera.do(chromedp.KeyEvent(kb.Backspace))
	rivera.types("5")
	rivera.suggests("-40|+45")
	rivera.puts(" twice", true)
	for range " twice" {
		rivera.do(chromedp.KeyEvent(kb.Backspace))
	}
	rivera.suggests("-40|+45|- twice")
	rivera.puts("Walked", false)
	rivera.enter()
	rivera.suggestionsSay("Only words can be suggested")
	if said := rivera.text(); !strings.Contains(said, "Furosemide 4045 mg at noon. Walked twice.") {
		t.Errorf("Rivera's note says %q", said)
	}
	rivera.alt("p")
	rivera.suggestionsSay("“45” in place of “40”")
	rivera.pictures("suggesting", "#suggestions[data-on] button:not([hidden], :disabled)")
	rivera.waitStatus("saved")

	// What the other writes meanwhile is nobody's suggestion, in neither window.
	okafor.suggests("-40|+45|- twice")
	okafor.puts("noon.", true)
	okafor.types(" BP 128/76.")
	rivera.waitContains("noon. BP 128/76. Walked")
	rivera.suggests("-40|+45|- twice")
	okafor.waitStatus("saved")

	okafor.enters(`.note-state a[href$="/sign"]`)
	okafor.waitFor("what speaks against it", `document.querySelector('#open-suggestions a').textContent === '2 suggestions wait'`)
	if eval[bool](okafor, exists("#sign")) {
		t.Error("a note with suggestions can be signed")
	}
	okafor.shot("sign-suggestions")
	okafor.enters(`#open-suggestions a:last-child`)
	okafor.waitStatus("saved")
	okafor.suggestionsSay("2 suggestions in this note")
	okafor.alt("n")
	okafor.suggestionsSay("Rosa Rivera RN suggests “45” in place of “40”, ")
	okafor.suggestionsSay("(1 of 2)")
	okafor.shot("suggestion")
	okafor.suggests("-40|+45|- twice")
	okafor.alt("y")
	okafor.suggestionsSay("Accepted. 1 suggestion left.")
	okafor.alt("n")
	okafor.suggestionsSay("Rosa Rivera RN suggests to take out “ twice”")
	okafor.alt("r")
	okafor.suggestionsSay("Rejected. No suggestion is left.")
	rivera.suggests("")
	for _, w := range []*window{okafor, rivera} {
		if said := w.text(); !strings.Contains(said, "Furosemide 45 mg at noon. BP 128/76. Walked twice.") {
			t.Errorf("%s's note says %q", w.name, said)
		}
	}
	okafor.waitStatus("saved")
	if whose := s.wordsOf(t, token, note); !strings.Contains(whose, "Rosa Rivera RN: 45\n") || strings.Count(whose, "Rosa") != 1 {
		t.Errorf("what was accepted is\n%s", whose)
	}

	// It can be undone, as any edit, and done again.
	okafor.tool("undo")
	okafor.waitFor("a suggestion again", exists(`#note-body .suggested`))
	okafor.tool("redo")
	okafor.suggests("")
	okafor.waitStatus("saved")
	okafor.enters(`.note-state a[href$="/sign"]`)
	okafor.enters(`#sign button`)
	okafor.waitFor("the band", exists("#signed-band"))
}
