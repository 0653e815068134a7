package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/store/queries"
)

var requestID = regexp.MustCompile(`/destruction/([0-9a-f-]{36})/`)

// TestRecordsAreDestroyed: the privacy officer asks on the page, an administrator approves, both having just proven who they are, and nobody
// else decides anything; the operator carries it out. Whoever has the note open is told so and loses it at once, with all that the server had of it in memory; the
// page and the API say since when, and by whose decision, to who might have read it, and to nobody else.
func TestRecordsAreDestroyed(t *testing.T) {
	h := open(t)
	officer, admin, chen, nurse := h.signIn("lindqvist"), h.signIn("novak"), h.signIn("chen"), h.signIn("brandt")
	token, note := h.token("chen"), "/notes/"+h.note.String()
	why := url.Values{"record": {h.URL + note}, "reason": {"error"}, "words": {"It was written about another patient."}}

	h.age()
	if status, _, header := h.submit(officer, "/destruction", why); status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/confirm") {
		t.Errorf("not proven lately: %d to %s", status, header.Get("Location"))
	}
	h.sql(`UPDATE login SET proven_at = now()`)
	for name, c := range map[string]*http.Client{"an administrator": admin, "a physician": chen} {
		if status, _ := h.post(c, "/destruction", why); status != http.StatusForbidden {
			t.Errorf("%s asks: %d", name, status)
		}
	}
	if status, _, _ := h.get(chen, "/destruction"); status != http.StatusForbidden {
		t.Errorf("a physician sees the page: %d", status)
	}
	for name, change := range map[string]url.Values{"no reason": {"reason": {""}}, "too few words": {"words": {"because"}}, "nobody": {"record": {"T-000000"}}, "no note": {"record": {uuid.NewString()}}} {
		form := url.Values{}
		for k, v := range why {
			form[k] = v
		}
		for k, v := range change {
			form[k] = v
		}
		if status, body := h.post(officer, "/destruction", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "destruction-error") {
			t.Errorf("%s: %d", name, status)
		}
	}
	h.acts()
	if status, body := h.post(officer, "/destruction", why); status != http.StatusSeeOther {
		t.Fatalf("asked for: %d, %s", status, body)
	}
	h.recorded("asks", "destroy.ask done lindqvist note: request=")
	_, page, _ := h.get(admin, "/destruction")
	h.recorded("looks at decisions and holds", "destroy.list done novak: decisions=1 holds=0")
	request := requestID.FindStringSubmatch(page)
	if request == nil || !strings.Contains(page, "It was written about another patient.") || !strings.Contains(page, "/approve") {
		t.Fatal("the administrator does not see it")
	}
	at := "/destruction/" + request[1]
	for name, c := range map[string]*http.Client{"who asked": officer, "a physician": chen} {
		if status, _ := h.post(c, at+"/approve", nil); status != http.StatusForbidden {
			t.Errorf("%s approves: %d", name, status)
		}
	}
	h.acts()
	if status, _ := h.post(admin, at+"/approve", nil); status != http.StatusSeeOther {
		t.Errorf("approved: %d", status)
	}
	h.recorded("approves", "destroy.approve done novak note: request=")
	if status, body := h.post(admin, at+"/approve", nil); status != http.StatusUnprocessableEntity || !strings.Contains(body, "destruction-error") {
		t.Errorf("approved again: %d", status)
	}

	if status, _ := h.post(officer, "/holds", url.Values{"record": {"T-104248"}, "words": {"litigation 12/34"}}); status != http.StatusSeeOther {
		t.Errorf("held: %d", status)
	}
	_, page, _ = h.get(officer, "/destruction")
	hold := regexp.MustCompile(`/holds/([0-9a-f-]{36})/lift`).FindString(page)
	if hold == "" || !strings.Contains(page, "litigation 12/34") {
		t.Fatal("the hold is not on the page")
	}
	if status, _ := h.post(admin, hold, url.Values{"words": {"I would rather not."}}); status != http.StatusForbidden {
		t.Errorf("an administrator lifts it: %d", status)
	}
	if status, _ := h.post(officer, hold, url.Values{"words": {"The case is settled."}}); status != http.StatusSeeOther {
		t.Errorf("lifted: %d", status)
	}

	ws := h.openWire(token, nil)
	if saved, _ := ws.write(10, 0); !saved {
		t.Fatal("not saved")
	}
	h.acts()
	if done, err := h.db.Shred(t.Context(), uuid.MustParse(request[1])); err != nil || done.Notes != 1 {
		t.Fatal(done, err)
	}
	if _, code := ws.until(func(ysync.Message) bool { return false }); code != 4410 {
		t.Errorf("who has it open: close code %d", code)
	}
	h.forgotten()
	if state, err := h.hub.State(t.Context(), h.note); err == nil {
		t.Errorf("the server has %d bytes of it in memory", len(state))
	}
	status, body, _ := h.get(chen, note)
	if status != http.StatusGone || !strings.Contains(body, "It was destroyed on") || !strings.Contains(body, "Lindqvist") || !strings.Contains(body, "Novak") {
		t.Errorf("the page: %d, %s", status, body)
	}
	if status, body, _ := h.get(nurse, note); status != http.StatusForbidden || strings.Contains(body, "Lindqvist") {
		t.Errorf("who might not have read it: %d", status)
	}
	for _, path := range []string{"", "/state", "/authors", "/losses"} {
		if status, body, _ := h.api("GET", "/api/v1"+note+path, token, "", nil); status != http.StatusGone || !strings.Contains(string(body), "destroyed on") {
			t.Errorf("the API at %q: %d, %s", path, status, body)
		}
	}
	if status, _, _ := h.api("POST", "/api/v1"+note+"/edits", token, "", []byte{0, 0}); status != http.StatusGone {
		t.Errorf("an edit: %d", status)
	}
	if code := h.knock("y-websocket", h.note, token, nil); code != 4410 {
		t.Errorf("a socket: close code %d", code)
	}
	if _, body, _ := h.get(chen, "/"); strings.Contains(body, h.note.String()) {
		t.Error("the worklist has it")
	}
	if _, page, _ := h.get(officer, "/destruction"); !strings.Contains(page, ">destroyed</span>") {
		t.Error("the page does not say that it is done")
	}
	if log := h.log.String(); strings.Contains(log, "does not open") || strings.Contains(log, "tampered") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says %s", log)
	}
}

// forgotten returns when the server has let go of what was destroyed.
func (h *hospital) forgotten() {
	h.t.Helper()
	version, err := h.db.AccessVersion(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for left := 1; left > 0; {
		if err := h.db.FollowKeys(h.t.Context(), nil); err != nil {
			h.t.Fatal(err)
		}
		if _, left, err = h.db.Remembering(h.t.Context(), version); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestDestroyedPatients are in no list, get no note, and nobody breaks the glass for them; what there was about access to their record stays, and
// does not say who they were.
func TestDestroyedPatients(t *testing.T) {
	h := open(t).work()
	officer, admin, brandt, haddad := h.signIn("lindqvist"), h.signIn("novak"), h.signIn("brandt"), h.signIn("haddad")
	if status, _ := h.post(brandt, "/glass", h.why()); status != http.StatusSeeOther {
		t.Fatalf("the glass: %d", status)
	}
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	p := row.Patient
	if status, body := h.post(officer, "/destruction", url.Values{"record": {p.Mrn}, "reason": {"erasure"}, "words": {"Asked for in writing."}}); status != http.StatusSeeOther {
		t.Fatalf("asked for: %d %s", status, body)
	}
	_, page, _ := h.get(admin, "/destruction")
	request := requestID.FindStringSubmatch(page)
	if request == nil || !strings.Contains(page, "Lies in a bed") || strings.Contains(page, p.Family) {
		t.Fatal("the page is not as it should be")
	}
	if status, _ := h.post(admin, "/destruction/"+request[1]+"/approve", nil); status != http.StatusSeeOther {
		t.Fatalf("approved: %d", status)
	}
	if _, err := h.db.Shred(t.Context(), uuid.MustParse(request[1])); err != nil {
		t.Fatal(err)
	}
	h.forgotten()
	if status, _ := h.post(brandt, "/glass", h.why()); status != http.StatusGone {
		t.Errorf("the glass: %d", status)
	}
	if status, _ := h.post(h.signIn("chen"), "/notes", url.Values{"patient": {p.ID.String()}, "kind": {"progress"}}); status != http.StatusGone {
		t.Errorf("another note: %d", status)
	}
	pages := map[string]*http.Client{
		"/": haddad, "/units/4-west": haddad, "/reviews": officer, "/reviews/activity": officer, "/patients/" + p.ID.String() + "/accesses": officer,
		"/admin/sessions": admin, "/destruction": officer,
	}
	for path, c := range pages {
		if status, body, _ := h.get(c, path); status != http.StatusOK || containsAny(body, p.Family, p.Mrn, "Arrest on the stairs", "Asked for in writing") {
			t.Errorf("%s: %d, or it says who it was", path, status)
		}
	}
	if status, body := h.post(officer, "/reviews/log", url.Values{"patient": {p.Mrn}}); status != http.StatusUnprocessableEntity || strings.Contains(body, p.Family) {
		t.Errorf("the log of acts by number: %d", status)
	}
	if notes, err := h.db.NotesFor(t.Context(), queries.NotesForParams{Everyone: true, MaxRows: 1000}); err != nil || len(notes) == 0 {
		t.Error(err)
	} else {
		for _, n := range notes {
			if n.Note.PatientID == p.ID {
				t.Error("a note of theirs is listed")
			}
		}
	}
	if log := h.log.String(); strings.Contains(log, "level=ERROR") || containsAny(log, p.Family, p.Mrn) {
		t.Errorf("the log says %s", log)
	}
}
