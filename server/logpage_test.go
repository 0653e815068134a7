package server_test

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

// TestLogPage: the privacy officer finds acts by who did them, to whose record, what and when, sees how far they are signed for, and
// takes them along with proofs that hold anywhere. Nobody else does.
func TestLogPage(t *testing.T) {
	h := open(t)
	sequencer, err := h.db.NewSequencer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signed := func() {
		t.Helper()
		h.sql(`UPDATE audit_head SET signed = 'epoch'`)
		if _, err := sequencer.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	chen, lindqvist := h.signIn("chen"), h.signIn("lindqvist")
	h.get(chen, "/notes/"+h.note.String())
	h.post(chen, "/", form("q", "kelp"))
	h.post(chen, "/notes/"+h.note.String()+"/printed", nil)
	patient := h.patient(uuid.MustParse(h.text(`SELECT patient_id::text FROM note WHERE id = $1`, h.note)))
	if _, page, _ := h.get(lindqvist, "/reviews/log"); !strings.Contains(page, "Nothing is signed yet") || !strings.Contains(page, "opened a note") {
		t.Error("before anything is signed")
	}
	signed()

	list := func(pairs ...string) (int, string) {
		t.Helper()
		status, page := h.post(lindqvist, "/reviews/log", form(pairs...))
		_, rows, _ := strings.Cut(page, "<tbody>")
		return status, rows
	}
	for _, tt := range []struct {
		ask       []string
		has, lack string
	}{
		{nil, "opened a note", "kelp"},
		{[]string{"person", "chen"}, "searched the worklist", "Lindqvist"},
		{[]string{"person", "chen", "act", "search.patients"}, "1 found", "opened a note"},
		{[]string{"patient", patient.Mrn}, "on a page, by right of unit", "searched the worklist"},
		{[]string{"patient", patient.Mrn, "act", "note.print"}, "printed a note", "opened a note"},
		{nil, "printed a note", "chain="},
		{[]string{"since", "2020-01-01", "until", "2020-01-02"}, "", "opened a note"},
	} {
		status, rows := list(tt.ask...)
		if status != http.StatusOK || !strings.Contains(rows, tt.has) || strings.Contains(rows, tt.lack) || strings.Contains(rows, patient.Family) {
			t.Errorf("%v: %d %s", tt.ask, status, rows)
		}
		if toTheSecond := regexp.MustCompile(`>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d</time>`); tt.has != "" && !toTheSecond.MatchString(rows) {
			t.Errorf("%v: no time to the second: %s", tt.ask, rows)
		}
	}
	if _, page := h.post(lindqvist, "/reviews/log", nil); !strings.Contains(page, "entries are signed for") {
		t.Error("the page does not say what is signed")
	}
	for _, ask := range [][]string{{"person", "nobody"}, {"patient", "none"}, {"since", "yesterday"}, {"person", "\x00"}} {
		if status, _ := list(ask...); status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", ask, status)
		}
	}
	if _, rows := list(); strings.Contains(rows, "not as signed") || strings.Contains(rows, "no place") {
		t.Error("an entry that is as it was is said not to be")
	}
	h.acts()
	list("person", "chen")
	h.recorded("the search", "search.log done lindqvist chen")

	status, bundle := h.post(lindqvist, "/reviews/log", form("person", "chen", "export", "yes"))
	b, err := audit.OpenBundle(bytes.NewReader([]byte(bundle)))
	if status != http.StatusOK || err != nil {
		t.Fatalf("export: %d, %v", status, err)
	}
	keys, err := h.db.AuditRing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report, err := b.Verify(audit.Check{Keys: keys}); err != nil || report.Entries < 3 {
		t.Errorf("the bundle: %+v, %v", report, err)
	}
	if strings.Contains(bundle, "kelp") || strings.Contains(bundle, patient.Mrn) {
		t.Error("the bundle says what was looked for")
	}
	h.recorded("the export", "log.export done lindqvist chen")
	h.age()
	if status, _ := h.post(lindqvist, "/reviews/log", form("export", "yes")); status != http.StatusSeeOther {
		t.Errorf("an export without a fresh proof: %d", status)
	}
	for _, sql := range []string{
		`ALTER TABLE audit_event DISABLE TRIGGER ALL`, `GRANT ALL ON audit_event TO CURRENT_USER`,
		`UPDATE audit_event SET code = 'page by glass' WHERE code = 'page by unit' AND act = 'note.open'`,
		`INSERT INTO audit_event (xid, at, act, outcome, code) VALUES ('3', now() - interval '5 minutes', 'token.issue', 'done', 'kept out')`,
	} {
		h.sql(sql)
	}
	_, page := h.post(lindqvist, "/reviews/log", nil)
	changed, kept := strings.Index(page, "on a page, by right of glass"), strings.Index(page, "kept out")
	if changed < 0 || kept < 0 || strings.Count(page, "not as signed") != 1 || strings.Count(page, ">no place<") != 1 || !strings.Contains(page, "2 entries below are not what was signed") {
		t.Errorf("a changed entry, and one without a place: %s", page)
	} else if between := page[changed:]; strings.Index(between, "not as signed") > strings.Index(between, "</tr>") {
		t.Error("another entry is said to be changed")
	}
	for _, who := range []string{"chen", "novak"} {
		if status, _, _ := h.get(h.signIn(who), "/reviews/log"); status != http.StatusForbidden {
			t.Errorf("%s: %d", who, status)
		}
	}
}
