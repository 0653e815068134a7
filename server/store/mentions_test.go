package store_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store"
)

func mention(person uuid.UUID, name string) *crdt.XMLElement {
	return crdt.NewXMLElement("mention", map[string]any{"kind": "person", "id": person.String(), "label": name})
}

// told is how often somebody is told that a note names them.
func (h hospital) told(t *testing.T, who uuid.UUID) (n int) {
	t.Helper()
	rows, err := h.db.NudgesTo(t.Context(), who, store.MaxNudges)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.What != store.ToldNamed || row.Name != "Ada" || !slices.Contains(row.Ties, "unit") && len(row.Ties) > 0 {
			t.Errorf("told of %+v", row)
		}
	}
	return len(rows)
}

// TestWhoIsNamedIsToldOnce: whoever is named in a note is told, by whom, until they have looked; once, however often, and not again because
// their paragraph was split or their name was moved. Whom it names no more has nothing to look at; nobody is told that they named themselves.
func TestWhoIsNamedIsToldOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	w := tasker{h.scribbler(note, h.author, 7)}
	paragraph := func(about ...*crdt.XMLElement) *crdt.XMLElement {
		p := crdt.NewXMLElement("paragraph", nil)
		w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
			f.Push(tx, p)
			for _, a := range about {
				p.Push(tx, a)
			}
		})
		return p
	}
	step := func(what string, want int) {
		t.Helper()
		if err := h.db.ReadTasksOf(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		if n := h.told(t, h.other); n != want {
			t.Fatalf("%s: told %d times, want %d", what, n, want)
		}
	}
	first := paragraph(mention(h.other, "Bob"), mention(h.author, "Ada"), mention(uuid.New(), "Nobody"), crdt.NewXMLElement("mention", map[string]any{"id": "Bob"}))
	step("named", 1)
	if n := h.told(t, h.author); n != 0 {
		t.Error("somebody is told that they named themselves")
	}
	paragraph(mention(h.other, "Bob"))
	step("named again before they look", 1)

	if err := h.db.SeeNudges(t.Context(), h.other, uuid.NullUUID{UUID: note, Valid: true}, ""); err != nil {
		t.Fatal(err)
	}
	if n := h.told(t, h.other); n != 0 {
		t.Fatalf("told %d times after they looked", n)
	}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) { // as a paragraph is split: its end goes, and comes anew
		first.Delete(tx, 0, 1)
		p := crdt.NewXMLElement("paragraph", nil)
		f.Push(tx, p)
		p.Push(tx, mention(h.other, "Bob"))
	})
	step("moved", 0)
	last := paragraph(mention(h.other, "Bob"))
	step("named once more", 1)

	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		last.Delete(tx, 0, 1)
		f.Push(tx, crdt.NewXMLElement("paragraph", nil))
	})
	step("one of several goes", 1)
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Delete(tx, 0, f.Len())
		f.Push(tx, crdt.NewXMLElement("paragraph", nil))
	})
	step("named no more", 0)
}
