package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/clisonix/tidechart/internal/needs"
)

// TestPaper: from a note one comes to the ways in which it leaves, by links; what the browser prints has on each sheet who the patient is,
// that it is a draft, and which sheet of how many it is, and nothing of the page around it; and so has the PDF that the server makes.
func TestPaper(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	seeded := s.notes(t, token)[0]
	note := s.newNoteFor(t, token, seeded.Patient.ID, "progress").ID
	n := startNode(t)
	p := n.connect("chen", hocuspocusV4, s, note, token)
	p.wait(want{"synced": true})
	p.fresh()
	p.insert(0, strings.Repeat("Walked to the window and back, tolerated well. ", 160)+"The last words.")
	p.wait(want{"unsynced": 0})
	family, _, _ := strings.Cut(seeded.Patient.Name, ",")
	family = strings.ToUpper(family)

	chen := signedIn(t, s, "chen")
	chen.openNote(note) // what stands in its bar is all there
	chen.more("/export")
	chen.submit(`.export-ways a[href$="/print"]`)
	chen.waitFor("a button that prints", `document.querySelector('#print-now')?.hidden === false`)
	copied := eval[string](chen, `document.querySelector('.sheet-foot').textContent.match(/copy ([A-Z2-7]{10})/)[1]`)
	check := func(what string, pdf []byte, around ...string) {
		t.Helper()
		sheets := strings.Split(strings.TrimSuffix(pdfText(t, pdf), "\f"), "\f")
		if len(sheets) < 2 {
			t.Fatalf("%s has %d sheets", what, len(sheets))
		}
		for i, sheet := range sheets {
			sheet = strings.Join(strings.Fields(sheet), " ")
			for _, want := range []string{family, "Born", seeded.Patient.MRN, "DRAFT", fmt.Sprintf("Page %d of %d", i+1, len(sheets)), "copy "} {
				if !strings.Contains(sheet, want) {
					t.Errorf("%s: sheet %d of %d does not say %q", what, i+1, len(sheets), want)
				}
			}
			for _, no := range around {
				if strings.Contains(sheet, no) {
					t.Errorf("%s: sheet %d says %q", what, i+1, no)
				}
			}
		}
		if last := strings.Join(strings.Fields(sheets[len(sheets)-1]), " "); !strings.Contains(last, "Nobody has signed this note.") {
			t.Errorf("%s ends with %q", what, last)
		}
		if all := strings.Join(strings.Fields(strings.Join(sheets, " ")), " "); !strings.Contains(all, "The last words.") {
			t.Errorf("%s lacks the last words", what)
		}
	}
	check("what the browser prints", chen.printed(), "Sign out", "Worklist", "Back to the note", "Take it as a PDF")
	resp, err := s.signIn(t, "chen").Get(s.url + "/notes/" + note + "/note.pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	pdf, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the PDF: %s, %v", resp.Status, err)
	}
	check("the PDF", pdf)
	s.onRecord(t, note, "chen", "note.print", "print copy="+copied+"%")
}

// printed is what the browser prints of its page.
func (w *window) printed() []byte {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Data
}

// pdfText is what another program reads in a PDF, sheets apart by form feeds.
func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	path, err := exec.LookPath("pdftotext")
	if err != nil {
		needs.Missing(t, "no pdftotext")
	}
	cmd := exec.CommandContext(t.Context(), path, "-layout", "-", "-")
	cmd.Stdin = strings.NewReader(string(pdf))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
