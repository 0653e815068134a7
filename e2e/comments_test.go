package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// toText goes into the text of the note, from wherever one is.
func (w *window) toText() {
	w.t.Helper()
	const there = `document.activeElement.isContentEditable`
	if eval[bool](w, there) {
		return
	}
	if w.do(chromedp.KeyEvent(kb.Escape)); !eval[bool](w, there) {
		w.tabTo(noteEditor)
	}
}

// selects selects words in the editor by keys: it finds them, and goes there.
func (w *window) selects(words string) {
	w.t.Helper()
	w.toText()
	w.ctrl("f")
	w.waitFor("the bar to find by", `document.activeElement.id === 'find-text'`)
	w.types(words)
	w.ctrl("\r")
	w.waitFor("the selection of "+words, `document.activeElement.isContentEditable && (({ doc, selection: { from, to } }) => doc.textBetween(from, to))(document.querySelector('`+noteEditor+`').editor.state) === `+quoteJS(words))
}

// puts puts the caret before words in the editor, or behind them.
func (w *window) puts(words string, behind bool) {
	w.t.Helper()
	w.selects(words)
	key, beside := kb.ArrowLeft, `[head, head + words.length]`
	if behind {
		key, beside = kb.ArrowRight, `[head - words.length, head]`
	}
	w.do(chromedp.KeyEvent(key))
	// Others write meanwhile: it stands where the words are by then.
	w.waitFor("the caret at "+words, `(words => {
		const { doc, selection: { empty, head } } = document.querySelector('`+noteEditor+`').editor.state
		const [from, to] = `+beside+`
		return empty && doc.textBetween(Math.max(0, from), Math.min(doc.content.size, to)) === words
	})(`+quoteJS(words)+`)`)
}

// commented is an expression for the text that is shown as commented on, of each block; carets of others may stand in it.
const commented = `[...document.querySelectorAll('#note-body [contenteditable] > *')].map(block =>
	[...block.querySelectorAll('.commented')].map(e => e.textContent).join('').replaceAll('\u2060', '')).filter(Boolean).join('|')`

// marks waits until just this text is shown as commented on.
func (w *window) marks(text string) {
	w.t.Helper()
	if err := w.tryFor(commented + ` === ` + quoteJS(text)); err != nil {
		w.t.Fatalf("in %s's window the comment is about %q, not %q, in:\n%s", w.name, eval[string](w, commented), text, w.text())
	}
}

// comments selects words and says something about them, by the keyboard alone.
func (w *window) comments(words, says string) {
	w.t.Helper()
	if words != "" {
		w.selects(words)
	}
	w.do(chromedp.KeyEvent("m", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierAlt)))
	w.waitFor("the form", `document.activeElement.matches('#comments-new textarea')`)
	w.types(says)
	w.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	w.waitFor("the thread", `document.activeElement.matches('.thread') && document.activeElement.textContent.includes(`+quoteJS(says)+`)`)
}

// within is an expression for whether a thread says something.
func inThread(quote, says string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.thread')].some(t => (t.querySelector('.thread-quote')?.textContent ?? '') === %s && t.textContent.includes(%s))`, quoteJS(quote), quoteJS(says))
}

// TestCommentsWhileOthersWrite: Chen asks about a colleague's sentence; Rivera, who writes on around it, sees it at once, answers, and
// resolves it. What it is about stays what it is about, whatever both of them do to the text; when that is gone, the thread stays.
func TestCommentsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	chen, rivera := byKeyboard(t, s, "chen"), byKeyboard(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	rivera.tabTo(noteEditor)
	rivera.ctrl(kb.End)
	rivera.stands("")
	rivera.types("Potassium 3.1 this morning, replaced.")
	rivera.waitStatus("saved")
	chen.waitContains("replaced.")

	chen.comments("Potassium 3.1", "Before or after the dialysis?")
	both := func(text string) {
		t.Helper()
		chen.marks(text)
		rivera.marks(text)
	}
	both("Potassium 3.1")
	rivera.waitFor("the comment", inThread("Potassium 3.1", "Before or after the dialysis?"))
	rivera.shot("comments")

	// Before it, in it and behind it, both at once.
	rivera.puts("Potassium", false)
	rivera.types("Lab: ")
	chen.puts("replaced.", true)
	chen.types(" Repeat at noon.")
	both("Potassium 3.1")
	rivera.puts(" 3.1", false)
	rivera.types(" is")
	both("Potassium is 3.1")

	// Split before it, and within it; joined again; made a heading; the heading undone.
	rivera.puts("Potassium", false)
	rivera.enter()
	both("Potassium is 3.1")
	rivera.puts(" is 3.1", false)
	rivera.enter()
	both("Potassium| is 3.1")
	rivera.do(chromedp.KeyEvent(kb.Backspace))
	both("Potassium is 3.1")
	chen.waitStatus("saved")
	chen.puts("Potassium", false)
	chen.tool("heading2")
	rivera.waitFor("the heading", `document.querySelector('`+noteEditor+` h2:last-of-type')?.textContent.includes('Potassium')`)
	both("Potassium is 3.1")
	chen.tool("undo")
	both("Potassium is 3.1")

	// Deleted, the thread stays; undone, it is about its text again. So it is for who opens the note afterwards.
	chen.waitStatus("saved")
	rivera.selects("Potassium is 3.1")
	rivera.do(chromedp.KeyEvent(kb.Backspace))
	both("")
	gone := `[...document.querySelectorAll('.thread-gone')].some(p => !p.hidden)`
	chen.waitFor("that the text is gone", gone)
	rivera.ctrl("z")
	both("Potassium is 3.1")
	chen.waitFor("that it is there", "!"+gone)
	rivera.waitStatus("saved")
	chen.do(chromedp.Reload())
	chen.waitStatus("saved")
	both("Potassium is 3.1")

	// Rivera answers by the keyboard, and resolves it.
	rivera.puts("is 3", true)
	rivera.do(chromedp.KeyEvent("m", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierAlt)))
	rivera.waitFor("the thread", `document.activeElement.matches('.thread')`)
	rivera.tabTo(`.thread [data-do="answer"]`)
	rivera.enter()
	rivera.types("Before it.")
	rivera.tabTo(`.thread form button`)
	rivera.enter()
	chen.waitFor("the answer", inThread("Potassium 3.1", "Before it."))
	chen.comments("", "Who signs this?")
	chen.waitFor("both in the order of the text", `[...document.querySelectorAll('#threads-open h3')].map(h => h.textContent.trim()).join('|') === 'About the whole note|About: Potassium 3.1'`)
	chen.do(chromedp.KeyEvent("n"))
	chen.waitFor("the next thread", `document.activeElement.textContent.includes('Before it.')`)
	chen.do(chromedp.KeyEvent(kb.Escape))
	chen.waitFor("the text that it is about", `getSelection().toString() === 'Potassium is 3.1' && document.activeElement.matches('.ProseMirror')`)
	chen.pictures("comments", ".thread")
	rivera.tabTo(`.thread:has(.thread-quote) [data-do="resolve"]`)
	rivera.enter()
	rivera.waitFor("the thread that is open still", `document.activeElement.matches('#threads-open .thread') && document.activeElement.textContent.includes('Who signs this?')`)
	both("")
	chen.waitFor("it resolved", `document.querySelector('#threads-resolved').textContent.includes('Resolved by Rosa Rivera RN') && document.querySelector('#comments-count').textContent === '1'`)
	follows(t, chen, rivera)
	if got := s.text(t, token, note); !strings.Contains(got, "Lab:") || strings.Contains(got, "dialysis") {
		t.Errorf("the note says %q", got)
	}
	s.checkLog(t, note)
}

// follows: one press has chen's page show where rivera is, as she moves; it ends when chen scrolls, writes or presses Escape.
func follows(t *testing.T, chen, rivera *window) {
	t.Helper()
	rivera.puts("noon.", true)
	rivera.paste(strings.Repeat("\n\nStable.", 40) + "\n\nThe end.")
	chen.waitContains("The end.")
	chen.colorScheme("light")
	const button = `#presence button`
	chen.waitFor("that she writes", `document.querySelector('`+button+`').textContent.endsWith('Rosa Rivera RN, writing')`)
	rivera.puts("Lab", false)
	follow := func() {
		t.Helper()
		chen.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
		chen.tabTo(button)
		chen.enter()
		chen.waitFor("who is followed", `document.querySelector('#following:not([hidden])')?.textContent.includes('You follow Rosa Rivera RN.')`)
	}
	const followed, scrolled = `!document.querySelector('#following').hidden`, `scrollY > 500`
	follow()
	rivera.puts("The end", false)
	chen.waitFor("where she is", scrolled)
	chen.shot("following")
	for _, v := range chen.axe(axeScript(t)) {
		t.Error(v)
	}
	rivera.puts("Lab", false)
	chen.waitFor("where she is now", `scrollY < 500`)
	script := func(does string) func() { return func() { eval[bool](chen, `(`+does+`, true)`) } }
	for _, end := range []struct {
		what string
		by   func()
	}{
		{"Escape", func() { chen.do(chromedp.KeyEvent(kb.Escape)) }},
		{"a second press", func() { chen.tabTo(button); chen.enter() }},
		{"the button", func() { chen.tabTo("#following-end"); chen.enter() }},
		{"a wheel", script(`document.dispatchEvent(new WheelEvent('wheel', {deltaY: 40, bubbles: true}))`)},
		{"what writes", script(`document.querySelector('` + noteEditor + `').editor.view.dispatch(document.querySelector('` + noteEditor + `').editor.state.tr.insertText('x', 1))`)},
	} {
		if !eval[bool](chen, followed) {
			follow()
		}
		end.by()
		if eval[bool](chen, followed) {
			t.Errorf("%s does not end it", end.what)
		}
	}
	rivera.puts("The end", false)
	rivera.waitStatus("saved")
	if eval[bool](chen, scrolled) {
		t.Error("the page moves for who follows nobody")
	}
}

func axeScript(t *testing.T) []byte {
	t.Helper()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatalf("axe-core is needed, from `npm ci`: %v", err)
	}
	return axe
}
