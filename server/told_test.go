package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// TestNamedPeopleAreTold: whom a note names is told within moments, on whatever page they are and by the note's line on their worklist, by whom and
// in what kind of note, until they open it; and nobody is told of a note that they may not read.
func TestNamedPeopleAreTold(t *testing.T) {
	h := open(t)
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	okafor := h.signIn("okafor")
	page := tidings{h, "okafor", h.events(okafor, "/events")}
	names := func(e string) bool { return strings.Contains(e, "You are named") }
	if first := <-page.events; names(first) {
		t.Fatalf("at first: %s", first)
	}
	began := time.Now()
	line := prose.Node{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "Ask "}}}
	for _, who := range []string{"okafor", "brandt", "rivera"} {
		line.Content = append(line.Content, prose.Node{Type: "mention", Attrs: map[string]any{"kind": "person", "id": h.id(who).String(), "label": who}})
	}
	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{line}})
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/notes/" + h.note.String() + "/edits?schema=" + prose.CurrentSchema().Fingerprint()
	if status, body, _ := h.api("POST", path, h.token("chen"), "", edit); status != http.StatusOK {
		t.Fatalf("the mention is not taken: %d %s", status, body)
	}
	if err := h.db.ReadTasksOf(t.Context(), h.note); err != nil {
		t.Fatal(err)
	}
	told := page.awaits(began, "that they are named", names)
	if !strings.Contains(told, "Dr Mei Chen, attending, named you at") {
		t.Errorf("the notice does not say who: %s", told)
	}
	for _, secret := range []string{row.Patient.Family, row.Patient.Given, row.Patient.Mrn, row.BedLabel} {
		if strings.Contains(strings.ToLower(told), strings.ToLower(secret)) {
			t.Errorf("the notice says %q", secret)
		}
	}
	if n := h.count(`SELECT count(*) FROM nudge WHERE what = 'mention'`); n != 3 {
		t.Errorf("%d are told", n)
	}
	if _, theirs, _ := h.get(h.signIn("brandt"), "/security"); names(theirs) {
		t.Error("who may not read the note is told of it")
	}
	if _, list, _ := h.get(okafor, "/"); strings.Count(list, ">you are named<") != 1 {
		t.Errorf("the worklist marks %d notes", strings.Count(list, ">you are named<"))
	}
	opened := time.Now()
	if status, _, _ := h.get(okafor, "/notes/"+h.note.String()); status != http.StatusOK {
		t.Fatal(status)
	}
	page.awaits(opened, "that they have looked", func(e string) bool { return strings.Contains(e, "#notices") && !names(e) })
	if _, list, _ := h.get(okafor, "/"); strings.Contains(list, ">you are named<") {
		t.Error("the worklist marks what they have opened")
	}
	// Who has not looked is told still once it is signed: the note as it was signed names them, and opening that is to look.
	h.physicians()
	says(t, "the signed note", h.signs(h.signIn("chen"), "author"), `<span class="mention" data-type="mention"`, ">@rivera</span>")
	rivera := h.signIn("rivera")
	for what, want := range []int{1, 0} {
		if _, list, _ := h.get(rivera, "/"); strings.Count(list, ">you are named<") != want {
			t.Errorf("%d times she has opened the signed note, the worklist marks %d", what, strings.Count(list, ">you are named<"))
		}
		h.get(rivera, "/notes/"+h.note.String())
	}
}

// TestReadyForReviewIsTold: who began a note, who has written in it and who answers for who began it are told at once that it is ready for review,
// and the inbox of whoever may cosign counts it; once it is a draft again, nobody is told.
func TestReadyForReviewIsTold(t *testing.T) {
	h := open(t)
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'okafor') WHERE id = $1`, h.note)
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("chen"), "", nil)
	h.edit("rivera", state, func(tx *crdt.Txn, f *crdt.XMLFragment) { f.Push(tx, crdt.NewXMLElement("paragraph", nil)) })
	ready := func(e string) bool { return strings.Contains(e, "Ready for review") }
	pages := make(map[string]tidings)
	for _, who := range []string{"chen", "okafor", "rivera", "haddad"} {
		pages[who] = tidings{h, who, h.events(h.signIn(who), "/events")}
		if first := <-pages[who].events; ready(first) {
			t.Fatalf("%s is told at first: %s", who, first)
		}
	}
	review := "/notes/" + h.note.String() + "/review"
	began := time.Now()
	if h.post303(h.signIn("haddad"), review, url.Values{"done": {"yes"}}) == "" {
		t.Fatal("it is not ready")
	}
	for _, who := range []string{"okafor", "rivera"} {
		if told := pages[who].awaits(began, "that it is ready", ready); !strings.Contains(told, "Lina Haddad RN, charge nurse, says since") {
			t.Errorf("%s is told: %s", who, told)
		}
	}
	pages["chen"].awaits(began, "that one note more waits", func(e string) bool { return strings.Contains(e, "Cosign (1)") })
	if _, next, _ := h.get(h.signIn("haddad"), "/security"); ready(next) {
		t.Error("who says so is told")
	}
	back := time.Now()
	if h.post303(h.signIn("haddad"), review, url.Values{"done": {"no"}}) == "" {
		t.Fatal("it is no draft again")
	}
	for _, who := range []string{"okafor", "rivera"} {
		pages[who].awaits(back, "that it is not ready", func(e string) bool { return strings.Contains(e, "#notices") && !ready(e) })
	}
	pages["chen"].awaits(back, "that none waits", func(e string) bool { return strings.Contains(e, "nav-cosign") && !strings.Contains(e, "Cosign (") })
}
