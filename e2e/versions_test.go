package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestVersions: somebody comes back to a note, is told that it has changed, and goes from change to change by keys; names a version, compares two,
// and brings one back while a colleague has the note open, who sees it at once and loses nothing.
func TestVersions(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatalf("axe-core is needed, from `npm ci`: %v", err)
	}
	s := shared.get(t)
	chen := byKeyboard(t, s, "chen")
	token := s.token(t, "chen")
	seeded := s.notes(t, token)[0]
	note := s.newNoteFor(t, token, seeded.Patient.ID, "progress").ID
	n := startNode(t)
	write := func(name string) *yclient {
		p := n.connect(name, hocuspocusV4, s, note, s.token(t, name))
		p.wait(want{"synced": true})
		return p
	}
	const old = "The patient was stable overnight, no fever."
	first := write("chen")
	first.fresh()
	first.insert(0, old)
	first.wait(want{"unsynced": 0})
	first.close()

	chen.openNote(note)
	chen.entersMore("/versions")
	const naming = `.version-list li:first-of-type details:last-of-type `
	chen.tabTo(naming + `summary`)
	chen.enter()
	chen.tabTo(naming + `[name="name"]`)
	chen.types("Before the seizure")
	chen.leaves(chromedp.KeyEvent(kb.Enter), "Enter")
	chen.visit("/")
	link := `a.changed-mark[href="/notes/` + note + `/changes"]`
	if eval[bool](chen, exists(link)) {
		t.Error("the worklist says that a note has changed which has not")
	}
	rivera := write("rivera")
	rivera.remove(strings.Index(old, "stable"), len("stable"))
	rivera.insert(strings.Index(old, "stable"), "seizing")
	rivera.insert(0, "Pain is two of ten. ")
	rivera.wait(want{"unsynced": 0})

	chen.visit("/")
	chen.waitFor("the mark", exists(link))
	chen.enters(link)
	if got := eval[string](chen, `document.querySelector('.past-banner').textContent`); !strings.Contains(got, "Nothing you do here changes it") {
		t.Errorf("the page says %q, not that this is history", got)
	}
	came := `Array.from(document.querySelectorAll('#compared ins'), x => x.querySelector('.sr-only').textContent + x.textContent).join('|')`
	if got := eval[string](chen, came); !strings.Contains(got, "seizing") || !strings.Contains(got, "Pain is two of ten.") || !strings.Contains(got, "Added by Rosa Rivera RN") {
		t.Errorf("what came is %q", got)
	}
	if got := eval[string](chen, `document.querySelector('#compared del').textContent`); !strings.Contains(got, "stable") || !strings.Contains(got, "written by Dr Mei Chen") {
		t.Errorf("what went is %q", got)
	}
	chen.do(chromedp.KeyEvent("n")) // a letter alone does nothing wherever one is
	chen.do(chromedp.KeyEvent("n", chromedp.KeyModifiers(chromedp.ModifierAlt)))
	for _, key := range []struct{ press, want string }{{"", "change-1"}, {"n", "change-2"}, {"n", "change-1"}, {"p", "change-2"}} {
		if key.press != "" {
			chen.do(chromedp.KeyEvent(key.press))
		}
		chen.waitFor(key.want, `document.activeElement.id === '`+key.want+`' && location.hash === '#`+key.want+`'`)
	}
	shot := func(name string) {
		if dir := os.Getenv("E2E_SHOTS"); dir != "" {
			chen.screenshot(filepath.Join(dir, name))
		}
	}
	accessible := func(name string, schemes ...string) {
		for _, scheme := range schemes {
			chen.colorScheme(scheme)
			for _, v := range chen.axe(axe) {
				t.Errorf("%s, %s: %s", name, scheme, v)
			}
			shot(name + "-" + scheme + ".png")
		}
	}
	accessible("compare", "dark", "light")

	chen.openNote(note)
	chen.waitFor("the mark on the note", exists(`.note-head a.changed-mark`))
	chen.entersMore("/versions")
	if got := eval[string](chen, `document.querySelector('.version-list').textContent`); !strings.Contains(got, "Before the seizure") {
		t.Errorf("the versions are %q", got)
	}
	accessible("versions", "light")
	chen.chooses(`[name="from"]`, `[aria-label="Compare Before the seizure"] *`)
	chen.enters(`#compare button`)
	if got := eval[string](chen, `document.querySelector('.note-head').textContent`); !strings.Contains(got, "Before the seizure") {
		t.Errorf("compared is %q", got)
	}

	chen.visit("/notes/" + note + "/versions")
	chen.enters(`a[aria-label="Bring back Before the seizure"]`)
	accessible("restore", "light")
	chen.enters(`form[action$="/restore"] button`)
	chen.waitFor("the editor", statusIs("saved"))
	chen.waitContains(old)
	rivera.wait(want{"text": old, "unsynced": 0})
	rivera.insert(0, "I am here. ")
	chen.waitContains("I am here. " + old)
	rivera.close()
}
