package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/store"
)

// on4West is a bed of the demo: DRIFTMOOR, Ada lies in it, and DRIFTMOOR, Hiro in 4W-09.
const on4West = "/units/4-west/beds/4-west-01"

// bedForm is what the form of a bed holds when somebody opens it, with what they change.
func (h *hospital) bedForm(c *http.Client, path string, change url.Values) url.Values {
	h.t.Helper()
	status, page, _ := h.get(c, path)
	if status != http.StatusOK {
		h.t.Fatalf("%s: %d", path, status)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input[^>]* name="(\w+)"[^>]* value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="(\w+)".*?<option value="([^"]*)" selected>`).FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	for name, value := range change {
		form[name] = value
	}
	return form
}

// row is a bed's row of a page or an event.
func row(html, bed string) string {
	_, row, _ := strings.Cut(html, `id="bed-`+bed+`"`)
	row, _, _ = strings.Cut(row, "</tr>")
	return row
}

// TestBedsSayHowPatientsAre: whoever cares for a patient says it, everybody who looks at the board sees it at once, and it is on
// record, sealed, and shown with its last changes.
func TestBedsSayHowPatientsAre(t *testing.T) {
	h := open(t)
	haddad, rivera := h.signIn("haddad"), h.signIn("rivera")
	page := tidings{h, "haddad", h.watch(haddad)}
	<-page.events
	h.acts()
	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	form := h.bedForm(rivera, on4West+"?notes=overdue", url.Values{"severity": {"unstable"}, "code": {"dnr"}, "isolation": {"enteric"}, "home": {tomorrow}})
	began := time.Now()
	if to := h.post303(rivera, on4West+"?notes=overdue", form); to != "/units/4-west?notes=overdue#bed-4-west-01" {
		t.Fatalf("saving leads to %q", to)
	}
	page.awaits(began, "what the bed says", func(e string) bool {
		r := row(e, "4-west-01")
		return containsAny(r, "Unstable") && containsAny(r, "<strong>DNR</strong>") && containsAny(r, "Contact, enteric") && containsAny(r, "Tomorrow")
	})
	h.recorded("a bed", "patient.bedside done rivera patient: severity, code status, isolation, discharge")
	if _, board, _ := h.get(haddad, "/units/4-west"); !strings.Contains(row(board, "4-west-01"), "Contact, enteric") {
		t.Error("the board says something else than its stream")
	}
	_, again, _ := h.get(rivera, on4West)
	for _, said := range []string{"Rosa Rivera RN: severity", "<strong>Unstable</strong>", "Droplet → <strong>Contact, enteric</strong>"} {
		if !strings.Contains(again, said) {
			t.Errorf("the form does not say %q", said)
		}
	}
	if n := h.count(`SELECT count(*) FROM stay WHERE position('enteric' IN encode(bedside, 'escape')) > 0`); n != 0 {
		t.Error("what the bed says lies in the clear")
	}
	form = h.bedForm(rivera, on4West, nil)
	if h.post303(rivera, on4West, form) == "" {
		t.Error("nothing that differs is not saved")
	}
	h.recorded("nothing that differs")
}

// TestBedsAreNotChangedBlindly: not by who saw something else, about somebody else, by who may not, or to what is none of the words.
func TestBedsAreNotChangedBlindly(t *testing.T) {
	h := open(t)
	rivera, okafor := h.signIn("rivera"), h.signIn("okafor")
	first, second := h.bedForm(rivera, on4West, url.Values{"severity": {"stable"}}), h.bedForm(okafor, on4West, url.Values{"severity": {"unstable"}})
	if h.post303(rivera, on4West, first) == "" {
		t.Fatal("the first is not saved")
	}
	status, body := h.post(okafor, on4West, second)
	if status != http.StatusConflict || !strings.Contains(body, "Somebody else changed this") || !strings.Contains(body, `<option value="stable" selected`) {
		t.Errorf("the second, who has not seen that: %d", status)
	}
	other := h.bedForm(okafor, on4West, nil)
	other.Set("patient", h.bedForm(okafor, "/units/4-west/beds/4-west-02", nil).Get("patient"))
	if status, body := h.post(okafor, on4West, other); status != http.StatusConflict || !strings.Contains(body, "Somebody else lies in this bed") {
		t.Errorf("about somebody else: %d", status)
	}
	for name, wrong := range map[string]url.Values{
		"a severity that there is none": {"severity": {"bored"}}, "a day that is none": {"home": {"2026-02-31"}}, "a day long ago": {"home": {"1999-01-01"}}, "no number": {"n": {""}},
	} {
		if status, _ := h.post(okafor, on4West, h.bedForm(okafor, on4West, wrong)); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, status)
		}
	}
	form := h.bedForm(okafor, on4West, url.Values{"severity": {"stable"}})
	for who, want := range map[string]int{"sato": http.StatusForbidden, "brandt": http.StatusForbidden, "novak": http.StatusForbidden, "wall": http.StatusForbidden} {
		c := h.signIn(who)
		if status, _ := h.post(c, on4West, form); status != want {
			t.Errorf("%s changes it: %d", who, status)
		}
		if status, page, _ := h.get(c, on4West); status != want || strings.Contains(page, "DRIFTMOOR") {
			t.Errorf("%s opens the form: %d", who, status)
		}
	}
	if status, _, _ := h.get(okafor, "/units/icu/beds/4-west-01"); status != http.StatusNotFound {
		t.Errorf("a bed of another unit: %d", status)
	}
	if status, _, _ := h.get(okafor, "/units/4-west/beds/4-west-07"); status != http.StatusNotFound {
		t.Errorf("an empty bed: %d", status)
	}
	h.sql(`DELETE FROM stay WHERE bed_id = '4-west-01'`)
	if status, _ := h.post(okafor, on4West, form); status != http.StatusNotFound {
		t.Errorf("of whom has left: %d", status)
	}
}

// TestBoardTellsWhatItKnows: who has the same family name, however it is written; what is not signed, and since when; and nothing of
// what somebody may not see.
func TestBoardTellsWhatItKnows(t *testing.T) {
	h := open(t)
	haddad := h.signIn("haddad")
	_, board, _ := h.get(haddad, "/units/4-west")
	if r := row(board, "4-west-01"); !strings.Contains(r, "Same name: 4W-09") {
		t.Error("two of one name are not told of")
	}
	if r := row(board, "4-west-02"); strings.Contains(r, "Same name") || strings.Count(r, "Overdue") < 3 || !strings.Contains(r, ", Dr Daniel Okafor") {
		t.Errorf("the bed's row: %s", r)
	}
	namesake := store.Patient{Mrn: "T-999999", Family: "Drîft-Moor", Given: "Zoë", BirthDate: time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC), Gender: "Female", Allergies: "No known allergies"}
	if _, err := h.db.PutPatient(t.Context(), namesake, "4-west-14"); err != nil {
		t.Fatal(err)
	}
	h.sql(`UPDATE note SET created_at = now() - interval '23 hours' WHERE patient_id = (SELECT patient_id FROM stay WHERE bed_id = '4-west-02')`)
	h.sql(`UPDATE stay SET bed_id = '4-west-07' WHERE bed_id = '4-west-09'`) // which tells
	h.sql(`INSERT INTO note_task (note_id, client, clock, place, said, done, due, due_by)
		SELECT note.id, 1, n, n, convert_to(repeat('x', 40), 'UTF8'), n = 3, '', now() + (2 * n - 3) * interval '1 hour' FROM note JOIN stay USING (patient_id), generate_series(1, 3) n
		 WHERE bed_id = '4-west-02' AND kind = 'progress'`)
	h.sql(`INSERT INTO note_tasked (note_id, seq, tasks) SELECT DISTINCT note_id, 0, true FROM note_task ON CONFLICT (note_id) DO UPDATE SET tasks = true`)
	page := tidings{h, "haddad", h.watch(haddad)}
	page.awaits(time.Now(), "the board", func(e string) bool {
		return strings.Contains(row(e, "4-west-01"), "Same name: 4W-07, 4W-14") && !strings.Contains(row(e, "4-west-02"), "Overdue") && strings.Contains(row(e, "4-west-02"), "1 overdue") && strings.Contains(row(e, "4-west-02"), "23 h") && strings.Contains(row(e, "4-west-02"), "2 open tasks")
	})
	if _, board, _ := h.get(haddad, "/units/4-west"); strings.Contains(row(board, "4-west-13"), "/notes/") {
		t.Error("the notes of a restricted record are listed to who may not open them")
	}
	if status, _, _ := h.get(h.signIn("brandt"), "/units/4-west"); status != http.StatusForbidden {
		t.Errorf("who works elsewhere sees the board: %d", status)
	}
}

// TestBoardFilterWithoutScripts: the form's answer says how many beds it leaves, and in what order; it names nobody in the address.
func TestBoardFilterWithoutScripts(t *testing.T) {
	h := open(t)
	haddad := h.signIn("haddad")
	_, page, _ := h.get(haddad, "/units/4-west?severity=unstable&sort=severity&mine=&home=no&extra=1")
	unstable := strings.Count(page, `data-severity="unstable"`) - 1 // the board's own
	if unstable < 2 || !strings.Contains(page, fmt.Sprintf("%d of 20 beds shown", unstable)) {
		t.Errorf("%d are unstable, and the page says otherwise", unstable)
	}
	rows := regexp.MustCompile(`data-order="(\d)"`).FindAllStringSubmatch(page, -1)
	for i := 1; i < len(rows); i++ {
		if rows[i][1] < rows[i-1][1] {
			t.Fatalf("row %d is graver than the one before", i)
		}
	}
	if len(rows) != 20 {
		t.Errorf("%d rows", len(rows))
	}
}
