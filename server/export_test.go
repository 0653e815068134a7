package server_test

import (
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
)

var copyNumber = regexp.MustCompile(`copy ([A-Z2-7]{10})`)

// TestCopiesLeave: whoever may read a note prints it, and takes a PDF; files for other programs are for physicians of the patient, and the
// privacy officer, who have just proven who they are. Each copy bears the number under which it is on record, before it is given; and no
// header names the patient.
func TestCopiesLeave(t *testing.T) {
	h := open(t).work()
	note := "/notes/" + h.note.String()
	chen, rivera, novak, officer := h.signIn("chen"), h.signIn("rivera"), h.signIn("novak"), h.signIn("lindqvist")
	family := strings.ToUpper(h.patient(uuid.MustParse(h.text(`SELECT patient_id::text FROM note WHERE id = $1`, h.note))).Family)
	h.acts()

	_, page, _ := h.get(rivera, note+"/export")
	for _, way := range []string{"print", "note.pdf"} {
		if !strings.Contains(page, `href="`+note+"/"+way+`"`) {
			t.Errorf("a nurse is not offered %s", way)
		}
	}
	if strings.Contains(page, `href="`+note+`/note.md"`) || !strings.Contains(page, "Your role does not allow this") {
		t.Error("a nurse is offered files for other programs")
	}
	h.recorded("looks at the ways", "note.open done rivera note: page by unit")

	status, page, header := h.get(rivera, note+"/print")
	number := copyNumber.FindStringSubmatch(page)
	if status != http.StatusOK || number == nil || !strings.Contains(page, family) || !strings.Contains(page, "DRAFT") || header.Get("Cache-Control") != "no-store" {
		t.Fatalf("print: %d, copy %v", status, number)
	}
	h.recorded("prints", "note.print done rivera note: print copy="+number[1]+" by unit")

	status, body, header := h.get(rivera, note+"/note.pdf")
	if status != http.StatusOK || !strings.HasPrefix(body, "%PDF-") || header.Get("Content-Type") != "application/pdf" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("PDF: %d, %q", status, header)
	}
	says := h.readPDF(body)
	number = copyNumber.FindStringSubmatch(says)
	if number == nil || !strings.Contains(says, family) || !strings.Contains(says, "DRAFT") || !strings.Contains(says, "Page 1 of 1") {
		t.Fatalf("the PDF says %q", says)
	}
	h.recorded("takes a PDF", "note.print done rivera note: note.pdf copy="+number[1]+" by unit")

	files := map[string]string{"note.html": "text/html; charset=utf-8", "note.md": "text/markdown; charset=utf-8", "note.txt": "text/plain; charset=utf-8"}
	for file, media := range files {
		status, body, header := h.get(chen, note+"/"+file)
		number := copyNumber.FindStringSubmatch(body)
		if status != http.StatusOK || number == nil || header.Get("Content-Type") != media || !strings.Contains(body, family) || !strings.Contains(body, "DRAFT") {
			t.Fatalf("%s: %d, %s, copy %v", file, status, header.Get("Content-Type"), number)
		}
		if got := header.Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename=[a-z-]+-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.(html|md|txt)$`).MatchString(got) {
			t.Errorf("%s: it is to be called %q", file, got)
		}
		for name, values := range header {
			if strings.Contains(strings.ToUpper(strings.Join(values, " ")), family) {
				t.Errorf("%s: header %s names the patient", file, name)
			}
		}
		h.recorded("takes "+file, "note.export done chen note: "+file+" copy="+number[1]+" by unit")
		if status, body, _ := h.get(rivera, note+"/"+file); status != http.StatusForbidden || strings.Contains(body, family) {
			t.Errorf("a nurse takes %s: %d", file, status)
		}
		h.recorded("is refused "+file, "access refused rivera note: export note: not this role")
	}
	if status, _, _ := h.get(officer, note+"/note.txt"); status != http.StatusOK {
		t.Errorf("the privacy officer: %d", status)
	}
	h.acts()
	for _, way := range []string{"export", "print", "note.pdf", "note.html", "note.md", "note.txt"} {
		if status, body, _ := h.get(novak, note+"/"+way); status != http.StatusForbidden || strings.Contains(body, family) {
			t.Errorf("an administrator takes %s: %d", way, status)
		}
		if status, _, _ := h.get(chen, "/notes/0a1b2c3d-0000-4000-8000-000000000000/"+way); status != http.StatusNotFound {
			t.Errorf("%s of a note that is not there: %d", way, status)
		}
	}
	if refused := h.acts(); len(refused) != 6 {
		t.Errorf("six refusals are on record as %q", refused)
	}
	if n := h.count(`SELECT count(*) FROM opening WHERE how IN ('print', 'file')`); n < 3 {
		t.Errorf("copies are %d times in the list of who has opened the record", n)
	}

	h.age()
	for way, want := range map[string]int{"print": http.StatusOK, "note.pdf": http.StatusOK, "note.txt": http.StatusSeeOther} {
		if status, _, header := h.get(chen, note+"/"+way); status != want || want == http.StatusSeeOther && !strings.HasPrefix(header.Get("Location"), "/confirm") {
			t.Errorf("%s, not proven lately: %d to %q", way, status, header.Get("Location"))
		}
	}
	h.sql(`ALTER TABLE audit_event ADD CONSTRAINT no_more CHECK (false) NOT VALID`)
	h.sql(`UPDATE login SET proven_at = now()`)
	for _, way := range []string{"print", "note.pdf", "note.html", "note.md", "note.txt"} {
		if status, body, _ := h.get(chen, note+"/"+way); status < http.StatusInternalServerError || strings.Contains(body, family) {
			t.Errorf("%s, which cannot be recorded: %d", way, status)
		}
	}
}

// readPDF is what another program reads in a PDF.
func (h *hospital) readPDF(pdf string) string {
	h.t.Helper()
	path, err := exec.LookPath("pdftotext")
	if err != nil {
		needs.Missing(h.t, "no pdftotext")
	}
	cmd := exec.CommandContext(h.t.Context(), path, "-layout", "-", "-")
	cmd.Stdin = strings.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatal(err)
	}
	return string(out)
}

// TestSignedCopies: a copy of a signed note has who signed it, as what and when, and what was said about it later; the copy of that says what it is
// about. Only a signed note goes as a bundle that can be checked.
func TestSignedCopies(t *testing.T) {
	h := open(t).work()
	ctx, path := t.Context(), "/notes/"+h.note.String()
	chen := h.signIn("chen")
	if status, _, _ := h.get(chen, path+"/note.json"); status != http.StatusConflict {
		t.Errorf("a bundle of a draft: %d", status)
	}
	sign := func(note uuid.UUID) {
		t.Helper()
		r, err := h.db.Render(ctx, note)
		if err == nil {
			_, err = h.db.Sign(ctx, note, h.id("chen"), r.Seen())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sign(h.note)
	about, err := h.db.Amend(ctx, store.Amendment{Parent: h.note, Relation: signature.Correction, Reason: "The wrong side was named.", By: h.id("chen")})
	if err != nil {
		t.Fatal(err)
	}
	first := h.note
	h.note = about
	h.types("chen", "Of the left side.")
	h.note = first
	ways := []string{"/print", "/note.pdf", "/note.txt", "/note.md", "/note.html"}
	for _, way := range ways {
		_, body, _ := h.get(chen, path+way)
		if way == "/note.pdf" {
			body = h.readPDF(body)
		}
		if strings.Contains(body, "Of the left side.") {
			t.Errorf("%s has what nobody signed", way)
		}
		for _, want := range []string{"SIGNED", "Signed as author: Dr Mei Chen, ", "correction, begun ", "The wrong side was named.", "DRAFT", "Nobody has signed this yet."} {
			if !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
				t.Errorf("%s does not say %q", way, want)
			}
		}
	}
	sign(about)
	if _, body, _ := h.get(chen, path+"/note.txt"); !strings.Contains(body, "SIGNED, CORRECTED SINCE") || strings.Contains(body, "DRAFT") || strings.Count(body, "Signed as author") != 2 || !strings.Contains(body, "Of the left side.") {
		t.Errorf("with a signed correction it says %s", body)
	}
	if _, body, _ := h.get(chen, "/notes/"+about.String()+"/note.txt"); !strings.Contains(body, "This is: Correction to note "+h.note.String()[:8]) || !strings.Contains(body, "Reason: The wrong side was named.") {
		t.Errorf("the correction alone says %s", body)
	}
	status, body, header := h.get(chen, path+"/note.json")
	b, err := signature.ReadBundle(strings.NewReader(body))
	if status != http.StatusOK || err != nil || len(b.Notes) != 2 || !strings.HasSuffix(header.Get("Content-Disposition"), ".json") {
		t.Errorf("the bundle: %d, %d notes, %v", status, len(b.Notes), err)
	}

	// Who may not take the correction takes the note without it, and the file says that there is one.
	h.sql(`ALTER TABLE note DISABLE TRIGGER USER`)
	h.sql(`UPDATE note SET kind = 'unheard-of' WHERE id = $1`, about)
	_, body, _ = h.get(chen, path+"/note.json")
	b, err = signature.ReadBundle(strings.NewReader(body))
	if err != nil || len(b.Notes) != 1 || b.LeftOut != 1 || strings.Contains(body, "Of the left side.") || strings.Contains(body, "The wrong side") {
		t.Errorf("without the correction: %d notes, %d left out, %v", len(b.Notes), b.LeftOut, err)
	}
	if r, err := b.Verify(signature.Trust{}); err != nil || r.LeftOut != 1 {
		t.Errorf("it does not hold: %+v, %v", r, err)
	}
	h.sql(`UPDATE note SET kind = (SELECT kind FROM note WHERE id = $1) WHERE id = $2`, h.note, about)
	h.acts()

	// Somebody has the database, and has another write the correction.
	h.sql(`UPDATE writer SET person_id = $2 WHERE note_id = $1`, about, h.id("rivera"))
	for _, of := range []string{path, "/notes/" + about.String()} {
		for _, way := range ways {
			if status, body, _ := h.get(chen, of+way); status != http.StatusConflict || strings.Contains(body, "Of the left side.") || !strings.Contains(body, "does not read as it was signed") {
				t.Errorf("%s%s of what is not as it was signed: %d", of, way, status)
			}
		}
	}
	for _, act := range h.acts() { // no copy is said to have been given that was not
		if strings.Contains(act, "print done") || strings.Contains(act, "export done") {
			t.Errorf("on record: %s", act)
		}
	}
	if _, page, _ := h.get(chen, "/notes/"+about.String()); !strings.Contains(page, "does not read as it was signed") {
		t.Error("its page does not say so")
	}
	if _, page, _ := h.get(chen, path); strings.Contains(page, "Of the left side.") || !strings.Contains(page, "does not read as it was signed") {
		t.Error("it stands below the note all the same")
	}
}
