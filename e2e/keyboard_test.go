package e2e

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keysOnly has a page say in error that a pointer was used, or that a script which is none of the page's pressed something, moved the focus or selected.
const keysOnly = `addEventListener('pointerdown', e => e.isTrusted && console.error('a pointer was used'), true)
for (const [type, ...names] of [[HTMLElement, 'click', 'focus'], [Selection, 'addRange', 'collapse', 'collapseToEnd', 'collapseToStart', 'extend', 'modify',
	'selectAllChildren', 'setBaseAndExtent', 'setPosition']]) {
	for (const name of names) {
		const does = type.prototype[name]
		type.prototype[name] = function (...a) {
			if (!new Error().stack.includes(origin)) console.error(name + ' by a script of the test')
			return does.apply(this, a)
		}
	}
}`

// byKeyboard opens a window that fails if it is not used by keys alone, and signs somebody in there.
func byKeyboard(t *testing.T, s *server, user string) *window {
	t.Helper()
	w := openWindow(t, s, user)
	w.onEachPage(keysOnly)
	w.visit("/login")
	w.tabTo("#username")
	w.types(user)
	w.tabTo("#password")
	w.types(password)
	w.leaves(chromedp.KeyEvent("\r"), "sign in")
	w.waitFor("being signed in", exists(`form[action="/logout"]`))
	return w
}

// enters goes by Tab to what leads to another page, and there by Enter.
func (w *window) enters(selector string) {
	w.t.Helper()
	w.tabTo(selector)
	w.leaves(chromedp.KeyEvent("\r"), "enter "+selector)
}

// entersMore goes where an entry behind "More" in a note's bar leads.
func (w *window) entersMore(path string) {
	w.t.Helper()
	w.tabTo(`.note-state .more`)
	w.enter()
	w.enters(`#note-more a[href$="` + path + `"]`)
}

// enter presses Enter where the editor listens: what takes the key gets no second event from it, as it does by chromedp's own.
func (w *window) enter() {
	w.t.Helper()
	key := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
	up := key
	up.Type, up.Text = kb.KeyUp, ""
	for _, k := range []input.DispatchKeyEventParams{key, up} {
		if _, err := chromedp.Call(w.ctx, input.DispatchKeyEvent, k); err != nil {
			w.t.Fatal(err)
		}
	}
}

// tool goes from the text to a button of the toolbar, and presses it.
func (w *window) tool(command string) {
	w.t.Helper()
	w.toText()
	w.alt(kb.F10)
	for range 40 {
		if eval[bool](w, `document.activeElement.matches('#toolbar [data-command=`+command+`]')`) {
			w.enter()
			return
		}
		w.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	w.t.Fatalf("%s's window: no arrow key leads to %s", w.name, command)
}

// chooses goes to a group of radio buttons, and by arrow keys to one of them.
func (w *window) chooses(group, one string) {
	w.t.Helper()
	w.tabTo(group)
	for range 20 {
		if eval[bool](w, `document.activeElement.matches(`+quoteJS(one)+`) && document.activeElement.checked`) {
			return
		}
		w.down(1)
	}
	w.t.Fatalf("%s's window: no arrow key leads to %s", w.name, one)
}

// ctrl presses a key that writes nothing, while Ctrl is held.
func (w *window) ctrl(key string) {
	w.t.Helper()
	w.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// down presses the key of the arrow down.
func (w *window) down(times int) {
	w.t.Helper()
	for range times {
		w.do(chromedp.KeyEvent(kb.ArrowDown))
	}
}

// stands waits until the caret stands in a block with this text: what a key did to it the editor hears a moment later, and a colleague's edit
// in between puts it back.
func (w *window) stands(block string) {
	w.t.Helper()
	w.waitFor("the caret in "+block, `document.querySelector('`+noteEditor+`').editor.state.selection.$from.parent.textContent === `+quoteJS(block))
}

// TestHandingOver: a nurse signs in, finds her patient, begins a handoff and writes it with who takes over, to whom she gives what is to
// be done. Each takes back what they wrote themselves, and nothing else; one key says whose a sentence is. She signs; the board says that
// nobody has read it back yet, until her colleague, whom it leads there, has. What was to be done is done after that, and who wrote what is
// found in the signed note, too. All of it by keyboard.
func TestHandingOver(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	rivera, haddad := byKeyboard(t, s, "rivera"), byKeyboard(t, s, "haddad")

	rivera.alt("/")
	rivera.waitFor("the filter", `document.activeElement.id === 'q'`)
	rivera.types("4w-05")
	rivera.waitFor("one patient", `document.querySelectorAll('#worklist tbody tr').length === 1`)
	rivera.tabTo(`#worklist select[name="kind"]`)
	rivera.do(chromedp.KeyEvent("Nursing"))
	rivera.enters(`#worklist .new button`)
	rivera.waitStatus("saved")
	note := strings.TrimPrefix(eval[string](rivera, `location.pathname`), "/notes/")
	rivera.tabTo(noteEditor)
	rivera.stands("Illness severity")
	rivera.down(1)
	rivera.stands("")
	rivera.types("Watcher.")
	rivera.down(2)
	rivera.stands("")
	rivera.types("Heart failure, day 3.")
	rivera.down(2)
	rivera.stands("")
	rivera.waitFor("how a task is begun", exists(noteEditor+" .task-hint"))
	rivera.types("- ")
	rivera.waitFor("a task", exists(noteEditor+" .task"))
	rivera.types("weigh before breakfast")
	rivera.keyDown("Alt", "\r")
	rivera.waitFor("the dialog", `document.querySelector('#task-dialog').open && document.querySelector('#task-owner').options.length > 2`)
	rivera.tabTo("#task-owner")
	rivera.do(chromedp.KeyEvent("Lina"))
	rivera.tabTo("#task-day")
	rivera.types("11242031")
	rivera.do(chromedp.KeyEvent("\r"))
	rivera.waitFor("whose it is", `document.querySelector('.task-about')?.textContent === 'Lina Haddad RNDue 24-Nov-2031'`)

	haddad.enters(`nav a[href="/units/4-west"]`)
	haddad.waitFor("who writes", exists(`#bed-4-west-05 .writing a`))
	haddad.enters(`#bed-4-west-05 .writing a[href="/notes/` + note + `"]`)
	haddad.waitStatus("saved")
	haddad.tabTo(noteEditor)
	haddad.stands("Illness severity")
	haddad.ctrl(kb.End)
	haddad.stands("")
	haddad.types("Read back: weigh, call if up 2 kg.")
	rivera.waitContains("call if up 2 kg.")
	rivera.ctrl(kb.Home)
	rivera.stands("Illness severity")
	rivera.down(1)
	rivera.stands("Watcher.")
	rivera.do(chromedp.KeyEvent(kb.End))
	rivera.waitFor("the end of the line", `(({ $from }) => $from.parentOffset === $from.parent.content.size)(document.querySelector('`+noteEditor+`').editor.state.selection)`)
	rivera.types(" Febrile?")
	haddad.waitContains("Watcher. Febrile?")
	rivera.ctrl("z")
	haddad.waitFor("what she took back", fmt.Sprintf(`!(%s).includes('Febrile')`, editorText))
	haddad.waitContains("call if up 2 kg.")
	rivera.ctrl(kb.End)
	rivera.stands("Read back: weigh, call if up 2 kg.")
	rivera.alt("a")
	rivera.waitFor("whose that is", `document.querySelector('#authors-here').textContent.startsWith('At the caret: Lina Haddad RN, ')`)
	rivera.alt("a")
	rivera.waitStatus("saved")
	haddad.waitStatus("saved")

	rivera.enters(`.note-state a[href$="/sign"]`)
	rivera.enters(`#sign button`)
	rivera.waitFor("the band", `document.querySelector('#signed-band').textContent.includes('Not read back')`)
	haddad.enters(`nav a[href="/units/4-west"]`)
	waits := `#bed-4-west-05 li:has(.waiting-badge) a`
	haddad.waitFor("that it was not read back", exists(waits))
	haddad.shot("board-handoff")
	haddad.enters(waits)
	haddad.enters(`#signed-band a[href$="as=receiver"]`)
	haddad.enters(`#sign button`)
	haddad.waitFor("that it was read back", `document.querySelector('#signed-band').textContent.includes('Read back by Lina Haddad RN')`)
	haddad.waitReloading("the task", exists(`#tasks button`))
	haddad.enters(`#tasks button`)
	haddad.waitFor("that it is done", `/^✓ weigh before breakfast\s*done by Lina Haddad RN, /.test(document.querySelector('#tasks li').innerText)`)
	haddad.shot("handed-over")
	haddad.enters(`#signed-band a[href*="authors=list"]`)
	haddad.waitFor("who wrote what", `[...document.querySelectorAll('.pieces li')].some(li => li.textContent.includes('Watcher.') && li.textContent.includes('Rosa Rivera RN'))`)
	haddad.enters(`nav a[href="/units/4-west"]`)
	haddad.waitFor("the bed", exists(`#bed-4-west-05 .notes a`))
	if eval[bool](haddad, exists(waits)) {
		t.Error("the board says still that nobody has read it back")
	}
}

// TestMainTasksAreDoneByKeyboard: each test that docs/keyboard.md names is there, opens its windows by keyboard, and gives the focus to nothing by chromedp.
func TestMainTasksAreDoneByKeyboard(t *testing.T) {
	page, err := os.ReadFile("../docs/keyboard.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string]string)
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				bodies[f.Name.Name] = string(source[f.Body.Pos()-1 : f.Body.End()-1])
			}
		}
	}
	named := regexp.MustCompile("\\| `(Test\\w+)` \\|\n").FindAllStringSubmatch(string(page), -1)
	if len(named) < 10 {
		t.Errorf("%d tasks are named", len(named))
	}
	otherwise := regexp.MustCompile(`chromedp\.(Click|Focus|SendKeys|SetValue|MouseClick\w*)|\.(submit|more)\(`)
	for _, n := range named {
		body, there := bodies[n[1]]
		if !there || !strings.Contains(body, "byKeyboard(t, ") {
			t.Errorf("%s does nothing by keyboard", n[1])
		}
		if by := otherwise.FindString(body); by != "" {
			t.Errorf("%s goes on by %s", n[1], by)
		}
	}
}
