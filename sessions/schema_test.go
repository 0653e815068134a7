package sessions_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// next is the schema of an editor that is ahead of all others: it has callouts, in a tone, and comments.
func next(t *testing.T) *prose.Schema {
	s, err := prose.ParseSchema([]byte(`{"nodes": [{"name": "paragraph"}, {"name": "callout", "attrs": [{"name": "tone"}]}],
		"marks": [{"name": "comment"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func with(g sessions.Grant, s *prose.Schema) sessions.Grant {
	g.Schema = s
	return g
}

// element is the update by which client begins a note's element.
func element(t *testing.T, client crdt.ClientID, name string) []byte {
	b := crdt.NewBuilder(client)
	b.Element(crdt.Place{Root: "default"}, name)
	return built(t, b)
}

// toned gives an attribute to the element that client 1 begins.
func toned(t *testing.T, client crdt.ClientID) []byte {
	b := crdt.NewBuilder(client)
	key := "tone"
	b.Value(crdt.Place{Parent: &crdt.ID{Client: 1}, Key: &key}, "warning")
	return built(t, b)
}

// commented is a mark in a text of client's.
func commented(t *testing.T, client crdt.ClientID) []byte {
	b := crdt.NewBuilder(client)
	text := b.XMLText(crdt.Place{Root: "default"})
	b.Format(crdt.Place{Parent: &text}, "comment--aB3/+=xY", []byte("{}"))
	return built(t, b)
}

func built(t *testing.T, b *crdt.Builder) []byte {
	t.Helper()
	u, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestOlderEditorsNeverGetNewNodes: when an editor ahead of others brings a node, an attribute or a mark, those that
// would delete it are closed before they get it, and told to reload; whoever declared no schema goes on reading.
func TestOlderEditorsNeverGetNewNodes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first []byte // what all can hold; may be nil
		brand []byte
	}{
		{"node", nil, element(t, 1, "callout")},
		{"mark", nil, commented(t, 1)},
		{"attribute", element(t, 1, "paragraph"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ahead := next(t)
			if tt.brand == nil { // paragraphs have a tone now
				var err error
				if ahead, err = prose.ParseSchema([]byte(`{"nodes": [{"name": "paragraph", "attrs": [{"name": "tone"}]}]}`)); err != nil {
					t.Fatal(err)
				}
				tt.brand = toned(t, 4)
			}
			inWard(t, func(w *ward) {
				writer, sameEditor := w.hClient(with(write(chen), ahead)), w.yClient(with(write(rivera), ahead))
				page, reader := w.hClient(with(write(rivera), prose.StarterKit())), w.yClient(with(read(rivera), prose.StarterKit()))
				program := w.hClient(write(rivera))
				if tt.first != nil {
					writer.update(tt.first)
				}
				page.update(insert(2, 0, "in time"))
				seen := []int{len(page.updates()), len(reader.updates())}
				writer.update(tt.brand)

				if got := writer.answers(); got[len(got)-1] != '1' || sameEditor.closeCode() != 0 || !slices.ContainsFunc(sameEditor.updates(), func(u []byte) bool { return string(u) == string(tt.brand) }) {
					t.Errorf("answers %q; whoever has the editor of the author does not get the update", got)
				}
				for i, c := range []*client{page, reader} {
					if got := c.closeCode(); got != 4403 || c.auths() == "" || len(c.updates()) != seen[i] {
						t.Errorf("editor %d: close code %d, told %q, got %d updates; want 4403, the reason, none", i, got, c.auths(), len(c.updates())-seen[i])
					}
				}
				if got := program.auths(); got != "read-write, readonly" || program.closeCode() != 0 {
					t.Errorf("who declared no schema is told %q", got)
				}
				program.update(insert(3, 0, "blind"))
				if got := program.answers(); got[len(got)-1] != '0' {
					t.Errorf("who declared no schema writes on: %q", got)
				}
				if _, err := w.hub.Apply(w.t.Context(), note, write(rivera), insert(3, 0, "blind")); !errors.Is(err, sessions.ErrStaleEditor) {
					t.Errorf("a program writes on: %v", err)
				}
				if _, err := w.hub.Apply(w.t.Context(), note, with(write(rivera), ahead), insert(3, 0, "seen")); err != nil {
					t.Errorf("a program that declares the schema: %v", err)
				}
			})
		})
	}
}

// TestWhatANoteHasIsTold: the store hears of each name once, as soon as a row that brings it is there, and of none that was there before.
func TestWhatANoteHasIsTold(t *testing.T) {
	inWard(t, func(w *ward) {
		writer := w.hClient(with(write(chen), next(t)))
		writer.update(element(t, 1, "callout"))
		writer.update(toned(t, 4))
		writer.update(element(t, 5, "callout"))
		told := func() (names []string) {
			for _, n := range w.store.LearnedOf(note) {
				names = append(names, n.Name)
			}
			return names
		}
		if got := told(); !slices.Equal(got, []string{"callout", "tone"}) {
			t.Errorf("told %q, want callout and tone", got)
		}
	})
}

// TestOlderEditorsDoNotOpenNewNotes: nor after everybody has left, and the note is loaded anew.
func TestOlderEditorsDoNotOpenNewNotes(t *testing.T) {
	inWard(t, func(w *ward) {
		if _, err := w.hub.Apply(w.t.Context(), note, with(write(chen), next(w.t)), element(w.t, 1, "callout")); err != nil {
			t.Fatal(err)
		}
		if err := w.hub.Close(w.t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.hub = sessions.NewHub(w.store, slog.New(slog.DiscardHandler))
		page := w.hClient(with(write(rivera), prose.StarterKit()))
		if got := page.closeCode(); got != 4403 || page.text() != "" {
			t.Errorf("close code %d, got %q; want 4403 and nothing", got, page.text())
		}
		program := w.yClient(write(rivera))
		if program.closeCode() != 0 || program.text() != "start" {
			t.Errorf("who declared no schema reads %q", program.text())
		}
	})
}

// TestEditorsBringOnlyWhatTheyHave: what its editor lacks nobody can have made with it, and it would close the note to others.
func TestEditorsBringOnlyWhatTheyHave(t *testing.T) {
	for _, tt := range []struct {
		name   string
		update []byte
	}{
		{"node", element(t, 1, "callout")},
		{"document in a document", element(t, 1, "doc")},
		{"mark", commented(t, 1)},
		{"attribute", func() []byte {
			b := crdt.NewBuilder(1)
			p, key := b.Element(crdt.Place{Root: "default"}, "paragraph"), "tone"
			b.Value(crdt.Place{Parent: &p, Key: &key}, "warning")
			return built(t, b)
		}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				page, other := w.hClient(with(write(rivera), prose.StarterKit())), w.hClient(write(chen))
				other.update(tt.update)
				if got := other.closeCode(); got != 4400 || other.answers() != "10" {
					t.Errorf("close code %d, answers %q; want 4400, 10", got, other.answers())
				}
				if page.closeCode() != 0 || len(page.updates()) != 0 || len(w.store.Rows(note)) != 1 {
					t.Error("others notice")
				}
				if _, err := w.hub.Apply(w.t.Context(), note, write(chen), tt.update); !errors.Is(err, sessions.ErrUndeclared) {
					t.Errorf("a program: %v", err)
				}
			})
		})
	}
}
