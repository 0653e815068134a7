package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestWritingByKeyboard: a physician begins a note from its template, puts in what it lacks by "/", a phrase of their own by its name, walks
// what is to be filled in, finds a word and goes on where they were: all of it by keyboard, and nothing but what they wrote is in the note.
func TestWritingByKeyboard(t *testing.T) {
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	chen := byKeyboard(t, s, "chen")
	chen.openNote(note)

	// The template's sections are there, with room to write.
	if got := eval[string](chen, `[...document.querySelectorAll('`+noteEditor+` h2')].map(h => h.textContent).join()`); got != "Subjective,Objective,Assessment,Plan" {
		t.Fatalf("the note begins with %q", got)
	}
	chen.tabTo(noteEditor)
	chen.stands("Subjective")
	chen.down(1)
	chen.stands("")
	chen.types("Slept well, pain ***/10, ate *** of breakfast.")
	chen.waitFor("how much is to be filled in", `document.querySelector('#stops').textContent === '2 to fill in'`)
	chen.keyDown("", kb.F2)
	chen.keyDown("", kb.F2) // around the end of the note: from behind the last to the first, and on
	chen.types("half")
	chen.keyDown("", kb.F2)
	chen.types("2")
	chen.waitContains("Slept well, pain 2/10, ate half of breakfast.")
	chen.waitFor("nothing more to fill in", `document.querySelector('#stops').hidden`)
	chen.do(chromedp.KeyEvent(kb.End))

	// "/" in an empty line, by arrow keys and by name; what is dismissed stays as it was typed.
	chen.keyDown("", kb.Enter)
	chen.types("/")
	chen.waitFor("what can be inserted", exists(`#suggest:not([hidden]) [role=option][aria-selected=true]`))
	chen.pictures("slash", "#suggest:not([hidden])")
	if got := eval[string](chen, `document.querySelector('`+noteEditor+`').getAttribute('aria-activedescendant')`); got != "suggest-0" {
		t.Errorf("a reader is told of %q", got)
	}
	chen.keyDown("", kb.Escape)
	chen.waitFor("the list closed", `document.querySelector('#suggest').hidden`)
	chen.types(" 2 of 3 ")
	chen.types("/bul")
	chen.waitFor("lists", `[...document.querySelectorAll('#suggest [role=option]')].map(o => o.firstChild.textContent).join() === 'Bulleted list'`)
	chen.keyDown("", kb.Enter)
	chen.waitFor("a list", `document.querySelector('`+noteEditor+` li')?.textContent === '/ 2 of 3 '`)
	chen.types("walks")
	chen.keyDown("", kb.Enter)
	chen.keyDown("", kb.Enter) // out of the list

	// A section that was removed can be had again.
	chen.types("/")
	chen.waitFor("no section is missing", `!document.querySelector('#suggest').hidden && !document.querySelector('#suggest').textContent.includes('Section')`)
	chen.keyDown("", kb.Escape)
	chen.keyDown("Ctrl", "a")
	chen.keyDown("", kb.Backspace)
	chen.waitText("")
	chen.types("/pla")
	chen.waitFor("the section", `document.querySelector('#suggest [role=option]')?.textContent === 'PlanSection'`)
	chen.keyDown("", kb.Tab)
	chen.types("Home tomorrow.")
	chen.waitFor("the section with its text", `document.querySelector('`+noteEditor+`').lastElementChild.textContent === 'Home tomorrow.' && [...document.querySelectorAll('`+noteEditor+` h2')].at(-1).textContent === 'Plan'`)

	// A phrase of the unit, and what is to be filled in in it. That there is no answer is said, and each letter asks again.
	listSays := func(what string) {
		t.Helper()
		chen.waitFor(what, `document.querySelector('#suggest:not([hidden])')?.innerText === `+quoteJS(what)+` && document.querySelector('#suggest + [role=status]').textContent === `+quoteJS(what))
	}
	eval[bool](chen, `(window.asks = fetch, window.fetch = (url, how) => String(url).includes('/phrases') ? Promise.reject(new TypeError('no line')) : asks(url, how), true)`)
	chen.types(" .ch")
	listSays("The server does not answer now. Type on to try again.")
	eval[bool](chen, `(window.fetch = asks, true)`)
	chen.types("es")
	chen.waitFor("the phrase", `document.querySelector('#suggest [role=option]')?.textContent === '.chest4 West, Medicine'`)
	chen.keyDown("", kb.Enter)
	chen.waitContains("Home tomorrow. Chest: air entry *** bilaterally")
	chen.waitFor("four to fill in", `document.querySelector('#stops').textContent === '4 to fill in' && getSelection().toString() === '***'`)
	chen.shot("stops")
	for i, filled := range []string{"good", "no", "96", "air"} {
		if i > 0 {
			chen.keyDown("", kb.F2)
		}
		chen.types(filled)
	}
	chen.waitContains("Home tomorrow. Chest: air entry good bilaterally, no crackles, no wheeze. SpO2 96% on air.")
	chen.waitFor("nothing more to fill in", `document.querySelector('#stops').hidden`)
	chen.waitStatus("saved")
	chen.altA()
	chen.waitFor("the phrase not to be typed", `[...document.querySelectorAll('`+noteEditor+` .by-pasted')].map(e => e.textContent).join('').includes(' crackles, no wheeze. SpO2 ')`)
	if typed := eval[string](chen, `[...document.querySelectorAll('`+noteEditor+` .by-typed')].map(e => e.textContent).join('|')`); !strings.Contains(typed, "Home tomorrow. ") || !strings.Contains(typed, "good") || strings.Contains(typed, "crackles") {
		t.Errorf("typed is %q", typed)
	}
	chen.altA()

	// Find, with neither capitals nor accents, and back to where one was.
	chen.do(chromedp.KeyEvent(kb.End))
	chen.types(" Café, CAFE, cafe.")
	chen.keyDown("Ctrl", "f")
	chen.waitFor("the bar", `document.activeElement.id === 'find-text'`)
	chen.types("cafe")
	chen.waitFor("three", `document.querySelector('#find-count').textContent.endsWith(' of 3') && document.querySelectorAll('`+noteEditor+` .found').length === 3`)
	chen.keyDown("", kb.Enter)
	chen.keyDown("Shift", kb.Enter)
	chen.keyDown("", kb.F3)
	chen.waitFor("the second", `document.querySelector('#find-count').textContent === '2 of 3' && document.querySelector('`+noteEditor+` .found-here').textContent === 'CAFE'`)
	chen.shot("find")
	chen.keyDown("", kb.Escape)
	chen.types(" Done.")
	chen.waitContains("on air. Café, CAFE, cafe. Done.")
	if eval[bool](chen, exists(noteEditor+" .found")) {
		t.Error("what was found is still marked")
	}

	// The keys are on a sheet.
	chen.keyDown("Ctrl", "/")
	chen.waitFor("the sheet", exists("dialog.keysheet[open] dl"))
	for _, said := range []string{"F2", "Ctrl+F", "Alt+A", "Ctrl+B", "Bold", "Find in the note"} {
		if !strings.Contains(eval[string](chen, `document.querySelector('.keysheet').textContent`), said) {
			t.Errorf("the sheet says nothing of %q", said)
		}
	}
	chen.pictures("keys", "dialog.keysheet[open]")
	chen.keyDown("", kb.Escape)
	chen.waitFor("the text again", `document.querySelector('.keysheet') === null && document.activeElement.isContentEditable`)
	chen.types("?")
	chen.waitContains("Done.?")

	// What fits nothing says so, and is text like any other. A phrase that was made in another window is there when one comes back.
	chen.types(" @zzz")
	listSays("Nobody of that name works with this patient.")
	fresh := "q" + note[len(note)-6:]
	chen.types(" ." + fresh[:5])
	listSays("Neither you nor your unit has a phrase of that name.")
	chen.shot("suggest-none")
	for _, v := range chen.axe(axeScript(t)) {
		t.Error(v)
	}
	if status := eval[int](chen, `fetch('/phrases', { method: 'POST', body: new URLSearchParams({ name: '`+fresh+`', text: 'Slept.' }) }).then(r => (dispatchEvent(new Event('focus')), r.status))`); status != 200 {
		t.Fatalf("a phrase is not taken: %d", status)
	}
	chen.types(fresh[5:])
	chen.waitFor("the new phrase", `document.querySelector('#suggest [role=option]')?.innerText.startsWith('.`+fresh+`')`)
	chen.keyDown("", kb.Escape)
	chen.waitFor("the list closed", `document.querySelector('#suggest').hidden`)
	chen.waitStatus("saved")
	if got, want := s.text(t, token, note), chen.text(); squeeze(got) != squeeze(want) {
		t.Errorf("the note says %q, the editor %q", got, want)
	}

	// Outside of text a sign alone opens it, for who has not turned that off.
	chen.visit("/")
	chen.keyDown("", "?")
	chen.waitFor("the sheet of the worklist", exists("dialog.keysheet[open]"))
	chen.tabTo("#keysheet-mark")
	chen.types(" ")
	chen.keyDown("", kb.Escape)
	chen.waitFor("no sheet", "!"+exists("dialog.keysheet"))
	chen.visit("/")
	chen.keyDown("", "?")
	if eval[bool](chen, exists("dialog.keysheet")) {
		t.Error("the sign opens the sheet still")
	}
	chen.keyDown("Ctrl", "/")
	chen.waitFor("the sheet by its other key", exists("dialog.keysheet[open]"))
	if eval[bool](chen, `document.querySelector("#keysheet-mark").checked`) {
		t.Error("what was turned off looks as if it were on")
	}
}

// shape is an expression for what the note is made of: its elements without attributes, and its words.
const shape = `(() => {
	const copy = document.querySelector('` + noteEditor + `').cloneNode(true)
	copy.querySelectorAll('.ProseMirror-trailingBreak, .ProseMirror-separator, .caret').forEach(e => e.remove())
	return copy.innerHTML.replaceAll('\u2060', '').replace(/<(\w+)(?: (?!start)[^ >=]+(?:="[^"]*")?)*( start="\d+")?[^>]*>/g, '<$1$2>').replace(/<\/?(div|tbody)>/g, '')
})()`

// TestPastedFromElsewhere: what other programs have on the clipboard comes as words, lists and tables, and nothing else of it: no styles, comments,
// tracked deletions, hidden text or empty lines. It is marked as pasted.
func TestPastedFromElsewhere(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	note := s.newNote(t, s.token(t, "chen"))
	chen := signedIn(t, s, "chen")
	chen.openNote(note)
	chen.caretAtEnd(0)
	for _, p := range []struct{ from, want string }{
		{"word", `<h2>Assessment</h2><p><strong>Heart failure</strong>, seen in Leeds. Weight 71 kg, and better.</p>` +
			`<ul><li><p>furosemide 40 mg</p><ul><li><p>in the morning</p></li></ul></li><li><p>weigh daily</p></li></ul>` +
			`<p>Then:</p><ol start="3"><li><p>echo</p></li><li><p>home</p></li></ol>`},
		{"excel", `<table><tr><td><p>Day</p></td><td><p>Weight</p></td></tr><tr><td><p>1</p></td><td><p>71.4 kg</p></td></tr><tr><td><p>2</p></td><td><p></p></td></tr></table>`},
		{"gdocs", `<h2>Plan</h2><p>Give <strong>40 mg</strong><em> now</em></p><ul><li><p>weigh</p><ul><li><p>daily</p></li></ul></li></ul>` +
			`<table><tr><td><p>K</p></td><td><p>4.1</p></td></tr></table>`},
		{"libreoffice", `<p><strong>Seen</strong> at <u>08:30</u>.</p><ol><li><p>first</p></li><li><p>second</p></li></ol><table><tr><th><p>Na</p></th><td><p>138</p></td></tr></table>`},
	} {
		html, err := os.ReadFile("testdata/clipboard/" + p.from + ".html")
		if err != nil {
			t.Fatal(err)
		}
		chen.keyDown("Ctrl", "a")
		chen.keyDown("", kb.Backspace)
		chen.waitFor("an empty note", shape+` === '<p></p>'`)
		chen.pasteHTML(string(html))
		chen.waitStatus("saved")
		if got := strings.TrimSuffix(eval[string](chen, shape), "<p></p>"); got != p.want {
			t.Errorf("from %s comes\n%s\nwant\n%s", p.from, got, p.want)
		}
	}
	chen.altA()
	chen.waitFor("what was pasted", `[...document.querySelectorAll('`+noteEditor+` .by-pasted')].map(e => e.textContent).join(' ').includes('138')`)
	chen.pictures("pasted", noteEditor+" table .by-pasted")
	chen.altA()

	// The words alone, while Shift is held.
	chen.keyDown("Ctrl", "a")
	chen.keyDown("", kb.Backspace)
	chen.waitFor("an empty note", shape+` === '<p></p>'`)
	chen.do(chromedp.KeyEvent("V", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierShift)))
	chen.pasteHTML("<p><b>plain</b></p>")
	chen.waitFor("plain text", shape+` === '<p>as text</p>'`)
}

// TestFindWhileOthersWrite: of several places found it stays the same one whatever a colleague writes, and it is where one goes, though the
// page has not drawn yet what they wrote before it.
func TestFindWhileOthersWrite(t *testing.T) {
	t.Parallel()
	chen, rivera := heldPage(t, "Lab: potassium 3.1, replaced; magnesium 0.6, replaced.")
	chen.caretAtEnd(0)
	count := func(says string) {
		t.Helper()
		chen.waitFor(says, `document.querySelectorAll('`+noteEditor+` .found').length === 2 && document.querySelector('#find-count').textContent === `+quoteJS(says))
	}

	chen.keyDown("Ctrl", "f")
	chen.waitFor("the bar", `document.activeElement.id === 'find-text'`)
	chen.types("replaced")
	count("1 of 2")
	chen.keyDown("", kb.Enter)
	count("2 of 2")
	rivera.remove(0, len("Lab: potassium "))
	chen.waitFor("that it is gone", `!document.querySelector('`+noteEditor+`').textContent.includes('Lab')`)
	count("2 of 2")

	chen.do(chromedp.Evaluate[chromedp.Void](`window.held = []`))
	rivera.insert(0, "Potassium ")
	chen.waitFor("what Rivera did", `held.some(f => /Potassium/.test(f.says))`)
	chen.do(chromedp.Evaluate[chromedp.Void](`release(); document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }))`))
	chen.waitContains("Potassium 3.1")
	if selected := eval[string](chen, `(({ doc, selection: { from, to } }) => doc.textBetween(from, to + 1))(document.querySelector('`+noteEditor+`').editor.state)`); selected != "replaced." {
		t.Errorf("%q is gone to, with what is behind it; want the second place", selected)
	}
}

// pasteHTML pastes what a program has on the clipboard, where the caret is.
func (w *window) pasteHTML(html string) {
	w.t.Helper()
	eval[bool](w, fmt.Sprintf(`(() => {
		const data = new DataTransfer()
		data.setData('text/html', %s)
		data.setData('text/plain', 'as text')
		document.querySelector('%s').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))
		return true
	})()`, quoteJS(html), noteEditor))
}

// types types at the keyboard.
func (w *window) types(text string) {
	w.t.Helper()
	if err := w.typeKeys(text); err != nil {
		w.t.Fatal(err)
	}
}

// keyDown presses a key, while another one is held: "Ctrl", "Shift", "Alt" or none.
func (w *window) keyDown(held, key string) {
	w.t.Helper()
	mods := map[string]chromedp.Modifier{"Ctrl": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift, "Alt": chromedp.ModifierAlt}
	if held == "" {
		w.do(chromedp.KeyEvent(key))
		return
	}
	mod, ok := mods[held]
	if !ok {
		w.t.Fatal(fmt.Errorf("no key %q", held))
	}
	w.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(mod)))
}
