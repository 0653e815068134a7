package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The parts of a note page that tests look at.
const (
	noteEditor = `#note-body [contenteditable="true"]`
	anyEditor  = `#note-body [contenteditable]`
)

// signedIn opens a window and signs user in through the form.
func signedIn(t *testing.T, s *server, user string) *window {
	t.Helper()
	w := openWindow(t, s, user)
	w.signIn(user, password)
	w.waitFor("being signed in", exists(`form[action="/logout"]`))
	return w
}

// signIn fills in the form and waits for the page that answers.
func (w *window) signIn(user, password string) {
	w.t.Helper()
	w.visit("/login")
	w.do(
		chromedp.SetValue(chromedp.CSS(`#username`), user),
		chromedp.SendKeys(chromedp.CSS(`#password`), password),
	)
	w.submit(`form[action="/login"] button`)
}

// submit clicks what leads to another page and waits until that has loaded.
func (w *window) submit(button string) {
	w.t.Helper()
	w.leaves(chromedp.Click(chromedp.CSS(button)), "click "+button)
}

// more goes where an entry behind "More" in a note's bar leads.
func (w *window) more(path string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.CSS(`.note-state .more`)))
	w.submit(`#note-more a[href$="` + path + `"]`)
}

// leaves does what leads to another page and waits until that has loaded. It looks at the page and not at its events:
// that the page it leaves has loaded may be told only now.
func (w *window) leaves(by chromedp.Action[chromedp.Void], what string) {
	w.t.Helper()
	eval[bool](w, `window.leaving = true`)
	w.do(by)
	w.waitFor("another page, to "+what, `!window.leaving && document.readyState === 'complete'`)
}

// visit opens a path of the server.
func (w *window) visit(path string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.s.url + path))
}

// openNote opens a note and waits until its editor is in sync.
func (w *window) openNote(note string) {
	w.t.Helper()
	w.visit("/notes/" + note)
	w.waitFor("the editor", exists(noteEditor))
	w.waitStatus("saved")
}

// waitStatus waits until the note's one status is in the state.
func (w *window) waitStatus(state string) {
	w.t.Helper()
	w.waitFor("status "+state, statusIs(state))
}

func statusIs(state string) string {
	return fmt.Sprintf(`document.querySelector('#save-status')?.dataset.state === %s`, quoteJS(state))
}

func exists(selector string) string {
	return fmt.Sprintf(`document.querySelector(%s) !== null`, quoteJS(selector))
}

// caretAtEnd puts the caret behind the last character of the paragraph, as a
// click there does, and waits until the editor knows: it hears of it a moment
// later, and what it draws until then puts the caret back.
func (w *window) caretAtEnd(paragraph int) {
	w.t.Helper()
	w.waitFor("the caret in the editor", fmt.Sprintf(`(() => {
		const p = document.querySelectorAll(%s)[%d]
		const { view, state } = document.querySelector(%s).editor
		const at = getSelection()
		view.dom.focus()
		at.selectAllChildren(p)
		at.collapseToEnd()
		return document.activeElement.isContentEditable && state.selection.empty && state.selection.head === view.posAtDOM(at.anchorNode, at.anchorOffset)
	})()`, quoteJS(noteEditor+" p"), paragraph, quoteJS(noteEditor)))
}

// typeKeys sends keystrokes to what has the focus. It may run in a goroutine.
func (w *window) typeKeys(text string) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for _, r := range text {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(string(r))); err != nil {
			return fmt.Errorf("%s types %q: %w", w.name, r, err)
		}
	}
	return nil
}

// editorText is an expression for the text of the note's paragraphs without
// carets and other decorations, one paragraph a line.
const editorText = `[...document.querySelectorAll('#note-body [contenteditable] > *')].map(p => {
	const copy = p.cloneNode(true)
	copy.querySelectorAll('.caret, .ProseMirror-trailingBreak, .ProseMirror-separator').forEach(e => e.remove())
	return copy.textContent.replaceAll('\u2060', '')
}).join('\n')`

func (w *window) text() string {
	w.t.Helper()
	return eval[string](w, editorText)
}

func (w *window) waitText(text string) {
	w.t.Helper()
	w.waitFor("text "+strconv.Quote(text), editorText+" === "+quoteJS(text))
}

func (w *window) waitContains(text string) {
	w.t.Helper()
	w.waitFor("text with "+strconv.Quote(text), fmt.Sprintf(`(%s).includes(%s)`, editorText, quoteJS(text)))
}

// quoteJS is a JavaScript string.
func quoteJS(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
}
