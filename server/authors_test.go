package server_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
)

// TestAuthors: who moves text has not written it; who writes has, block by block.
func TestAuthors(t *testing.T) {
	h := open(t)
	path := "/api/v1/notes/" + h.note.String()
	state := func() []byte {
		_, state, _ := h.api("GET", path+"/state", h.token("chen"), "", nil)
		return state
	}
	h.edit("chen", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Stable overnight.")))
	})
	h.edit("rivera", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Delete(tx, 0, 1)
		item := crdt.NewXMLElement("listItem", nil, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Stable overnight. Walked.")))
		f.Insert(tx, 0, crdt.NewXMLElement("bulletList", nil, item))
	})
	status, body, _ := h.api("GET", path+"/authors", h.token("lindqvist"), "", nil)
	var answer struct {
		People []struct{ ID, Name string }
		Blocks []struct {
			Type  string
			Spans []struct{ Text, Author string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 || len(answer.Blocks) < 2 {
		t.Fatalf("authors: %d %v %s", status, err, body)
	}
	names := map[string]string{}
	for _, p := range answer.People {
		names[p.ID] = p.Name
	}
	got := answer.Blocks[0].Type
	for _, s := range answer.Blocks[0].Spans {
		got += fmt.Sprintf(" %s: %q", names[s.Author], s.Text)
	}
	if want := `paragraph Dr Mei Chen: "Stable overnight." Rosa Rivera RN: " Walked."`; got != want {
		t.Errorf("the first block is %s, want %s", got, want)
	}
	for _, b := range answer.Blocks[1:] { // the template
		for _, s := range b.Spans {
			if names[s.Author] == "" {
				t.Errorf("nobody wrote %q", s.Text)
			}
		}
	}
	// Chen suggests to say it otherwise; Rivera strikes something else under the same id, and adds under another. Chen accepts what Rivera adds:
	// it stays Rivera's.
	marks := func(user string, at, n int, kind, id string, value any) {
		h.edit(user, state(), func(tx *crdt.Txn, f *crdt.XMLFragment) {
			firstText(f).Format(tx, at, n, map[string]any{kind + "--" + id: value})
		})
	}
	suggests := func() (says []string) {
		_, body, _ := h.api("GET", path+"/authors", h.token("lindqvist"), "", nil)
		var answer struct {
			Blocks []struct {
				Spans []struct{ Text, Author string }
			}
			Suggestions []struct {
				ID string
				By []string
				At time.Time
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		for _, s := range answer.Suggestions {
			line := s.ID
			for _, by := range s.By {
				line += " " + names[by]
			}
			if time.Since(s.At) > time.Hour {
				t.Errorf("%s was suggested at %v", s.ID, s.At)
			}
			says = append(says, line)
		}
		for _, s := range answer.Blocks[0].Spans {
			says = append(says, s.Text+": "+names[s.Author])
		}
		return says
	}
	marks("chen", 0, 6, "deletion", "AAAAAAAA", map[string]any{"id": "s1"})
	marks("rivera", 7, 9, "deletion", "AAAAAAAA", map[string]any{"id": "s1"})
	marks("rivera", 17, 8, "insertion", "BBBBBBBB", map[string]any{"id": "s2"})
	// Chen's full stop was there before, and is not of what Rivera adds; what Chen writes into that later is.
	marks("rivera", 16, 1, "insertion", "CCCCCCCC", map[string]any{"id": "s3"})
	if got, want := strings.Join(suggests(), "|"), "s1 Dr Mei Chen Rosa Rivera RN|s3 Rosa Rivera RN|s2 Rosa Rivera RN|Stable: Dr Mei Chen| : Dr Mei Chen|overnight: Dr Mei Chen|.: Dr Mei Chen| Walked.: Rosa Rivera RN"; got != want {
		t.Errorf("suggested: %s\nwant %s", got, want)
	}
	h.edit("chen", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) { firstText(f).Insert(tx, 25, " Twice.") })
	if got, want := strings.Join(suggests(), "|"), "s1 Dr Mei Chen Rosa Rivera RN|s3 Rosa Rivera RN|s2 Rosa Rivera RN Dr Mei Chen|"; !strings.HasPrefix(got, want) {
		t.Errorf("suggested: %s\nwant %s", got, want)
	}
	h.edit("chen", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) { firstText(f).Delete(tx, 25, 7) })
	marks("chen", 16, 1, "insertion", "CCCCCCCC", nil)
	marks("chen", 17, 8, "insertion", "BBBBBBBB", nil)
	marks("chen", 0, 16, "deletion", "AAAAAAAA", nil)
	if got, want := strings.Join(suggests(), "|"), "Stable overnight.: Dr Mei Chen| Walked.: Rosa Rivera RN"; got != want {
		t.Errorf("accepted: %s\nwant %s", got, want)
	}
	for path, want := range map[string]int{path + "/authors": 403, "/api/v1/notes/" + uuid.NewString() + "/authors": 404} {
		user := map[int]string{403: "novak", 404: "chen"}[want]
		if status, _, _ := h.api("GET", path, h.token(user), "", nil); status != want {
			t.Errorf("%s asks for authors: %d, want %d", user, status, want)
		}
	}
}

// firstText is the text that a note begins with.
func firstText(f *crdt.XMLFragment) *crdt.XMLText {
	var at any = f
	for x, ok := at.(interface{ Get(int) (crdt.Child, bool) }); ok; x, ok = at.(interface{ Get(int) (crdt.Child, bool) }) {
		child, _ := x.Get(0)
		at = child.Value
	}
	return at.(*crdt.XMLText)
}

// TestCarriedForward: what somebody pastes from an earlier note of the patient is told to be that, and whose words it was;
// what somebody pastes from elsewhere is pasted, and what a program brings is imported.
func TestCarriedForward(t *testing.T) {
	h := open(t)
	say := func(user, text string) {
		t.Helper()
		_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token(user), "", nil)
		h.edit(user, state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
			f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
		})
	}
	const old = "Chronic kidney disease stage three, baseline creatinine is 1.8, followed by nephrology."
	say("chen", old)
	earlier, later := h.note, uuid.New()
	row, err := h.db.NoteByID(t.Context(), earlier)
	if err != nil {
		t.Fatal(err)
	}
	first, err := prose.Build(store.TemplateClient(later), prose.Node{Type: "doc", Content: []prose.Node{{Type: "paragraph"}}})
	if err != nil {
		t.Fatal(err)
	}
	err = h.db.CreateNote(t.Context(), store.NewNote{
		ID: later, Patient: row.Patient.ID, Unit: row.Note.UnitID, Kind: row.Note.Kind, Title: "Later", Author: row.Note.CreatedBy, At: time.Now(), First: first,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.note = later
	say("rivera", "Overnight: "+strings.ReplaceAll(old, ", ", ",  ")+" Slept well.")
	say("rivera", "A leaflet from elsewhere that is much longer than anybody types at once.")
	status, body, _ := h.api("GET", "/api/v1/notes/"+later.String()+"/authors", h.token("chen"), "", nil)
	var answer struct {
		People []struct{ ID, Name string }
		Blocks []struct {
			Spans []struct {
				Text, Author, Origin string
				At                   time.Time
				Source               struct {
					Note, Author string
					At           time.Time
				}
			}
		}
		Words []struct {
			Author          string
			Carried, Pasted int
		}
		Carried []struct {
			Author string
			Words  int
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 {
		t.Fatalf("authors: %d %v %s", status, err, body)
	}
	names := map[string]string{"": "nobody"}
	for _, p := range answer.People {
		names[p.ID] = p.Name
	}
	got := ""
	for _, b := range answer.Blocks[:2] {
		for _, s := range b.Spans {
			got += fmt.Sprintf("%s %s %q %s; ", names[s.Author], s.Origin, s.Text, names[s.Source.Author])
			if s.Origin == "carried" && (s.Source.Note != earlier.String() || time.Since(s.Source.At) > time.Hour || s.At.Before(s.Source.At)) {
				t.Errorf("it was carried from %+v at %v", s.Source, s.At)
			}
		}
	}
	want := `Rosa Rivera RN pasted "A leaflet from elsewhere that is much longer than anybody types at once." nobody; ` +
		`Rosa Rivera RN pasted "Overnight: " nobody; Rosa Rivera RN carried "` + strings.ReplaceAll(old, ", ", ",  ") + `" Dr Mei Chen; Rosa Rivera RN pasted " Slept well." nobody; `
	if got != want {
		t.Errorf("the note is %s\nwant %s", got, want)
	}
	if len(answer.Carried) != 1 || answer.Carried[0].Words != 12 || names[answer.Carried[0].Author] != "Dr Mei Chen" {
		t.Errorf("carried over: %+v", answer.Carried)
	}

	if _, copied, _ := h.get(h.signIn("chen"), "/notes/"+later.String()+"/print"); !strings.Contains(copied, "12 words from the note of ") || !strings.Contains(copied, ", less than a day old, written by Dr Mei Chen") {
		t.Error("a copy says nothing of it")
	}

	// An editor asks for that alone: of what has none, nothing.
	for note, want := range map[uuid.UUID]int{later: 1, earlier: 0} {
		status, body, _ := h.api("GET", "/api/v1/notes/"+note.String()+"/authors?origin=carried", h.token("chen"), "", nil)
		answer.Blocks = nil
		if err := json.Unmarshal(body, &answer); err != nil || status != 200 || len(answer.Blocks) != want {
			t.Fatalf("what was carried over: %d %v %s", status, err, body)
		}
		if want == 1 && (len(answer.Blocks[0].Spans) != 1 || answer.Blocks[0].Spans[0].Origin != "carried") {
			t.Errorf("what was carried over is %+v", answer.Blocks)
		}
	}

	// Signed, its page says it where one reads it, and in words above that, for who neither points nor sees the line below.
	h.physicians()
	signed := h.signs(h.signIn("chen"), "author")
	piece := regexp.MustCompile(`<span class="by by-carried carried" title="from the note of (\d\d-[A-Z][a-z]{2}-\d{4}), less than a day old, written by Dr Mei Chen">([^<]*)<`).FindAllStringSubmatch(signed, -1)
	if len(piece) != 1 || strings.TrimSpace(piece[0][2]) != strings.ReplaceAll(old, ", ", ",  ") {
		t.Fatalf("the signed note marks %q", piece)
	}
	_, above, _ := strings.Cut(signed, `id="carried-from"`)
	above, _, _ = strings.Cut(above, "</div>")
	says(t, "the head of the signed note", strings.Join(strings.Fields(above), " "), "Carried forward: 12 words of Dr Mei Chen of "+piece[0][1]+", less than a day old.")
	says(t, "the signed note", signed, `href="/notes/`+later.String()+`/history?authors=list">Authors</a>`)
}
