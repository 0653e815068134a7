package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// holdFrames lets a page keep what its socket brings while window.held is a list; release hands it on, all at once, and has the page do what
// it would when the screen is drawn. Somebody is so quick that the
// caret stands in the text as soon as the editor is there.
const holdFrames = `window.WebSocket = class extends WebSocket {
	constructor(...a) {
		super(...a)
		this.addEventListener('message', e => {
			if (!window.held) return
			e.stopImmediatePropagation()
			held.push({ says: new TextDecoder().decode(e.data), on: () => this.dispatchEvent(new MessageEvent('message', { data: e.data })) })
		})
	}
}
new MutationObserver((_, looks) => {
	const editor = document.querySelector('#note-body [contenteditable="true"]')?.editor
	if (!editor) return
	looks.disconnect()
	editor.commands.setTextSelection(4)
}).observe(document, { childList: true, subtree: true })
window.press = () => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }))
window.release = () => {
	const [all, due, frame] = [held, [], requestAnimationFrame]
	window.held = undefined
	window.requestAnimationFrame = f => due.push(f)
	for (const frame of all) frame.on()
	window.requestAnimationFrame = frame
	for (const f of due) f(performance.now())
}`

// heldPage is a note's page in which holdFrames runs, and a colleague who has written a text there.
func heldPage(t *testing.T, text string) (chen *window, rivera *yclient) {
	t.Helper()
	s := shared.get(t)
	note := s.newNote(t, s.token(t, "chen"))
	rivera = startNode(t).connect("rivera", hocuspocusV4, s, note, s.token(t, "rivera"))
	rivera.wait(want{"synced": true})
	rivera.fresh()
	rivera.insert(0, text)
	rivera.wait(want{"unsynced": 0})
	chen = openWindow(t, s, "chen")
	chen.onEachPage(holdFrames)
	chen.signIn("chen", password)
	chen.openNote(note)
	return chen, rivera
}

// TestCaretKeysAreHeardAtOnce: who goes into a note's text at once stays there. A key has moved the caret in the page, of which the browser tells the editor a moment later. What a colleague writes
// in that moment, or where they stand, does not put the caret back: the next letters stand where the key led. So it is with a selection. What is
// being composed keeps its caret.
func TestCaretKeysAreHeardAtOnce(t *testing.T) {
	t.Parallel()
	chen, rivera := heldPage(t, "one two three")
	if at := eval[int](chen, `document.querySelector('`+noteEditor+`').editor.state.selection.head`); at != 4 {
		t.Errorf("the caret of who was quick is put to %d", at)
	}
	chen.caretAtEnd(0)

	// The caret moves as a key moves it, and in the same task, before any event tells of that, there is what the colleague did.
	meanwhile := func(does func(), says, moves, then string) {
		t.Helper()
		chen.do(chromedp.Evaluate[chromedp.Void](`window.held = []`))
		does()
		chen.waitFor("what Rivera did", `held.some(f => /`+says+`/.test(f.says))`)
		if !eval[bool](chen, `(() => { const { view } = document.querySelector('`+noteEditor+`').editor; `+moves+`; return `+then+` })()`) {
			t.Errorf("when Rivera had done that, the note and the caret were otherwise: %s", chen.text())
		}
	}
	writes := func(at int, letter string) func() {
		return func() { rivera.insert(at, letter); rivera.wait(want{"unsynced": 0}) }
	}
	shows := func(letter string) string { return `view.state.doc.textContent.includes('` + letter + `')` }

	meanwhile(writes(2, "α"), "α", `press(); getSelection().modify('move', 'backward', 'word'); release()`, shows("α"))
	chen.types("A")
	chen.waitText("onαe two Athree")
	rivera.wait(want{"text": "onαe two Athree"})

	meanwhile(writes(2, "β"), "β", `press(); getSelection().modify('extend', 'backward', 'lineboundary'); release()`, shows("β"))
	chen.types("B")
	chen.waitText("Bthree")
	rivera.wait(want{"text": "Bthree"})

	meanwhile(func() { rivera.setCursor(2) }, `Rosa[^}]*},"cursor":{`, `release(); press(); getSelection().modify('move', 'forward', 'character');
		view.dispatch(view.state.tr.setMeta('yjs-cursor$', { awarenessUpdated: true }))`, `view.dom.querySelector('.caret') !== null`)
	chen.types("C")
	chen.waitText("BtChree")
	rivera.wait(want{"text": "BtChree"})

	if _, err := chromedp.Call(chen.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "ka", SelectionStart: 2, SelectionEnd: 2}); err != nil {
		t.Fatal(err)
	}
	chen.waitFor("what is composed", `document.querySelector('`+noteEditor+`').editor.view.composing && (`+editorText+`) === 'BtCkahree'`)
	meanwhile(writes(0, "γ"), "γ", `press(); getSelection().modify('move', 'forward', 'lineboundary'); release()`,
		`view.state.doc.textBetween(0, view.state.selection.head).endsWith('ka')`)
}
