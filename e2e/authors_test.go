package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAuthorsOnOneKey: in a note that two people write, one key shows whose each piece is, since when, and what was pasted,
// though it was short; it goes on as they go on, in words too, and is no part of the note.
func TestAuthorsOnOneKey(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	chen, rivera := signedIn(t, s, "chen"), signedIn(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	last := eval[int](chen, `document.querySelectorAll('`+noteEditor+` > p').length`) - 1
	write := func(w *window, text string) {
		w.caretAtEnd(last)
		if err := w.typeKeys(text); err != nil {
			t.Fatal(err)
		}
		w.waitStatus("saved")
	}
	write(chen, "Afebrile overnight.")
	rivera.waitContains("Afebrile overnight.")
	write(rivera, " Walked.")
	rivera.paste(" 5 mg")
	rivera.waitStatus("saved")
	chen.waitContains("5 mg")

	chen.altA()
	by := func(name, origin string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('%s .by-%s[title^="%s"]')].map(e => e.textContent).join('')`, noteEditor, origin, name)
	}
	chen.waitFor("whose it is", by("Dr Mei Chen", "typed")+` === 'Afebrile overnight.'`)
	chen.waitFor("what was pasted", by("Rosa Rivera", "pasted")+` === ' 5 mg'`)
	if got := eval[string](chen, by("Rosa Rivera", "typed")); got != " Walked." {
		t.Errorf("Rivera typed %q", got)
	}
	title := eval[string](chen, `document.querySelector('`+noteEditor+` .by-pasted').title`)
	if parts := strings.Split(title, ", "); len(parts) < 3 || !strings.Contains(title, ":") || parts[len(parts)-1] != "pasted" {
		t.Errorf("what was pasted says %q, not who, when and how", title)
	}
	colors := eval[[]string](chen, `[...document.querySelectorAll('`+noteEditor+` .by-typed')].slice(-2).map(e => getComputedStyle(e).borderBottomColor)`)
	if len(colors) != 2 || colors[0] == colors[1] {
		t.Errorf("two people's colours are %q", colors)
	}
	pieces := eval[string](chen, `document.querySelector('#authors-pieces').textContent + document.querySelector('#authors-words').textContent`)
	for _, said := range []string{"Afebrile overnight.", "Walked.", "Rosa Rivera RN: 3 words (1 typed, 2 pasted)", "Dr Mei Chen: "} {
		if !strings.Contains(pieces, said) {
			t.Errorf("the list says %q, not %q", pieces, said)
		}
	}
	chen.caretAtEnd(last)
	chen.waitFor("whose the text at the caret is", `document.querySelector('#authors-here').textContent.includes('Rosa Rivera RN')`)

	write(rivera, " Slept.")
	chen.waitFor("what came since", by("Rosa Rivera", "typed")+` === ' Walked. Slept.'`)
	for _, v := range chen.axe(axe) {
		t.Error(v)
	}
	chen.shot("authors")
	chen.altA()
	chen.waitFor("the plain note", `document.querySelector('`+noteEditor+` .by') === null && document.querySelector('#authors').hidden`)
	if got := s.text(t, token, note); !strings.Contains(got, "Afebrile overnight. Walked. 5 mg Slept.") {
		t.Errorf("the note says %q", got)
	}
	// Without a pointer or colours, and without scripts: the page of the note's history has the same as a list.
	_, page := fetch(t, s.signIn(t, "chen"), s.url+"/notes/"+note+"/history?authors=list")
	for _, said := range []string{"<q> 5 mg</q>", "pasted: came at once"} {
		if !strings.Contains(string(page), said) {
			t.Errorf("the history says nothing of %q", said)
		}
	}

	// Who cuts a letter of another's word, pastes it elsewhere and undoes all of that has written none of it.
	chen.altA()
	chens := by("Dr Mei Chen", "typed")
	rivera.cut(last, 1, 2)
	write(rivera, "!")
	rivera.paste("f")
	rivera.waitStatus("saved")
	chen.waitFor("a letter moved", chens+` === 'Aebrile overnight.f' && `+by("Rosa Rivera", "pasted")+` === ' 5 mg'`)
	for range 4 {
		rivera.do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	}
	chen.waitFor("all as before", chens+` === 'Afebrile overnight.'`)
}

// altA presses Alt+A in the page.
func (w *window) altA() {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyA', key: 'a', altKey: true, bubbles: true, cancelable: true}))`))
}

// cut cuts letters of the first text of a paragraph, once the editor knows that they are selected.
func (w *window) cut(paragraph, from, to int) {
	w.t.Helper()
	eval[bool](w, fmt.Sprintf(`(() => {
		const editor = document.querySelector(%s)
		editor.focus()
		const text = document.createTreeWalker(editor.querySelectorAll('p')[%d], NodeFilter.SHOW_TEXT).nextNode()
		document.addEventListener('selectionchange', () => { window.selected = true }, { once: true })
		getSelection().setBaseAndExtent(text, %d, text, %d)
		return true
	})()`, quoteJS(noteEditor), paragraph, from, to))
	w.waitFor("the selection", `window.selected === true`)
	w.waitFor("it to be cut", `!document.querySelector('`+noteEditor+`').dispatchEvent(new ClipboardEvent('cut', {clipboardData: new DataTransfer(), bubbles: true, cancelable: true}))`)
}

// paste pastes text where the caret is.
func (w *window) paste(text string) {
	w.t.Helper()
	eval[bool](w, fmt.Sprintf(`(() => {
		const data = new DataTransfer()
		data.setData('text/plain', %s)
		document.querySelector('%s').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))
		return true
	})()`, quoteJS(text), noteEditor))
}
