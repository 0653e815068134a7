package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// seen is what somebody has read who looks now.
func (h hospital) seen(t testing.TB, note uuid.UUID) store.Seen {
	t.Helper()
	r, err := h.db.Render(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	return r.Seen()
}

// sign has somebody sign a note as it is.
func (h hospital) sign(t testing.TB, note, by uuid.UUID) store.Signature {
	t.Helper()
	s, err := h.db.Sign(t.Context(), note, by, h.seen(t, note))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// state is that of a note.
func (h hospital) state(t testing.TB, note uuid.UUID) string {
	t.Helper()
	row, err := h.db.NoteByID(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	return row.Note.State
}

// scribbler writes into a note as a session would, one paragraph after the other.
type scribbler struct {
	h      hospital
	note   uuid.UUID
	who    uuid.UUID
	client crdt.ClientID
	clock  uint64
	doc    *crdt.Doc
}

func (h hospital) scribbler(note, who uuid.UUID, client crdt.ClientID) *scribbler {
	return &scribbler{h: h, note: note, who: who, client: client, doc: crdt.New("")}
}

// update is another paragraph, which the note has not been given.
func (w *scribbler) update(t testing.TB, text string) []byte {
	t.Helper()
	u, err := w.doc.Transact(w.client, func(tx *crdt.Txn) {
		root := w.doc.XMLFragment(sessions.Fragment)
		root.Insert(tx, root.Len(), crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// types appends a paragraph, and reports whether the note took it.
func (w *scribbler) types(t testing.TB, text string) bool {
	t.Helper()
	return w.commit(t, w.update(t, text))
}

// commit appends an update, and reports whether the note took it.
func (w *scribbler) commit(t testing.TB, u []byte) bool {
	t.Helper()
	st, err := w.h.db.Standing(context.Background(), w.who, w.note)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := crdt.DecodeUpdate(u)
	if err != nil {
		t.Fatal(err)
	}
	to := decoded.Ranges()[0].To
	b := sessions.Batch{
		ID:      uuid.New(),
		Entries: []sessions.Entry{{Note: w.note, Author: w.who, Stamp: sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch}, Update: u}},
		Claims:  []sessions.Claim{{Note: w.note, Client: w.client, From: w.clock, To: to, Person: w.who}},
	}
	placed, err := w.h.db.Append(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(placed) == 1 && placed[0].First > 0 {
		w.clock = to
		return true
	}
	return false
}

func lateEdit(n uint64, by uuid.UUID, update []byte) sessions.LateEdit {
	return sessions.LateEdit{N: n, Author: by, Update: update}
}

// TestSignaturesOutliveSchemas: a note that was signed before the editor knew tables reads as it was signed ever after, and others can
// still put their names to it.
func TestSignaturesOutliveSchemas(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	h.scribbler(note, h.author, 7).types(t, "fine")
	s, err := h.db.SignBy(t.Context(), prose.StarterKit(), note, h.author)
	if err != nil {
		t.Fatal(err)
	}
	now, err := h.db.Render(t.Context(), note)
	if err != nil || now.Hashes() != s.Hashes || now.Schema != prose.StarterKit().Fingerprint() || s.Schema != now.Schema {
		t.Errorf("it reads as %+v by %s, %v; it was signed as %+v by %s", now.Hashes(), now.Schema, err, s.Hashes, s.Schema)
	}
	witness, err := h.db.Witness(t.Context(), note, h.other, h.seen(t, note))
	if err != nil || witness.Schema != s.Schema || witness.Hashes != s.Hashes {
		t.Errorf("a witness signed %+v, %v", witness.Statement, err)
	}
}

// TestSignedNoteNeverChanges: from its signature on a note takes no edit, no other author, no statement typed by hand; and what was signed
// is what it says for ever.
func TestSignedNoteNeverChanges(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	ada := h.scribbler(note, h.author, 7)
	if !ada.types(t, "fine") {
		t.Fatal("a draft takes nothing")
	}
	seen := h.seen(t, note)
	if !ada.types(t, "better") {
		t.Fatal("a draft takes nothing")
	}
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrChanged) || h.state(t, note) != store.Draft {
		t.Fatalf("signed what nobody saw: %v", err)
	}
	s := h.sign(t, note, h.author)
	if s.Number != 1 || s.Meaning != signature.Author || s.Seq != 3 || s.Name != "Ada" || s.Role != "nurse" || s.Signer != h.author || s.Kind != "progress" || s.Cosign {
		t.Errorf("signed %+v", s.Statement)
	}
	if ada.types(t, "late") {
		t.Error("a signed note takes an edit")
	}
	if _, err := h.db.Sign(t.Context(), note, h.other, h.seen(t, note)); !errors.Is(err, store.ErrSigned) {
		t.Errorf("signed by another author: %v", err)
	}
	if _, err := h.db.Sign(t.Context(), note, h.author, h.seen(t, note)); !errors.Is(err, store.ErrSignedBefore) {
		t.Errorf("signed again: %v", err)
	}
	if _, err := h.db.Freeze(t.Context(), note, h.author, time.Minute); !errors.Is(err, store.ErrSigned) {
		t.Errorf("frozen afterwards: %v", err)
	}
	for _, sql := range []string{
		`UPDATE note SET state = 'draft'`, `UPDATE note SET state = 'review'`, `UPDATE note SET state = 'cosigned'`, `UPDATE note SET state = 'retracted'`,
		`UPDATE note SET head = head + 1`, `UPDATE note SET chain = sha256('x')`, `UPDATE note SET kind = 'handoff'`,
		`UPDATE note_signature SET name = 'Eve'`, `DELETE FROM note_signature`, `TRUNCATE note_signature`, `UPDATE note_signed SET content = sha512('x')`, `DELETE FROM note_signed`,
		`UPDATE note_signer SET seed = 'x'`, `INSERT INTO note_signature SELECT note_id, 2, '` + h.other.String() + `', role, name, 'author', at, head, cosign, keys, statement, hash FROM note_signature`,
		`INSERT INTO note_signature SELECT note_id, 3, '` + h.other.String() + `', role, name, 'witness', at, head, cosign, keys, statement, hash FROM note_signature`,
		`INSERT INTO note_signature SELECT note_id, 2, '` + h.other.String() + `', role, name, 'witness', at, head - 1, cosign, keys, statement, hash FROM note_signature`,
	} {
		if err := h.exec(t, sql); err == nil {
			t.Errorf("%s succeeded", sql)
		}
	}
	now, err := h.db.Render(t.Context(), note)
	if err != nil || now.Hashes() != s.Hashes || now.Seq != s.Seq {
		t.Errorf("the note is another now: %+v, %v", now.Hashes(), err)
	}
	content, attribution, err := h.db.SignedText(t.Context(), note)
	if err != nil || string(content) != string(now.Content) || string(attribution) != string(now.Attribution) {
		t.Errorf("signed text: %s, %v", content, err)
	}
	all, err := h.db.Signatures(t.Context(), note)
	if err != nil || len(all) != 1 || all[0].Statement != s.Statement || all[0].Hash != s.Hash {
		t.Errorf("signatures: %+v, %v", all, err)
	}
}

// TestSignaturesInTheDatabase are read only as what they are: a row that was moved, or changed by somebody with all rights, does not pass.
func TestSignaturesInTheDatabase(t *testing.T) {
	h := open(t)
	one, other := h.newNote(t), h.newNote(t)
	h.sign(t, one, h.author)
	h.sign(t, other, h.author)
	third := uuid.New()
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'cy', 'Cy', 'nurse', 0)`, third)
	for _, note := range []uuid.UUID{one, other} {
		seen := h.seen(t, note)
		seen.Remark = "I saw it."
		if s, err := h.db.Witness(t.Context(), note, h.other, seen); err != nil || s.Said != "I saw it." || s.Who.Family != "Test" {
			t.Fatalf("witnessed %+v, %v", s, err)
		}
	}
	h.must(t, `ALTER TABLE note_signature DISABLE TRIGGER ALL; ALTER TABLE note_signed DISABLE TRIGGER ALL; CREATE TABLE was AS TABLE note_signature; CREATE TABLE said AS TABLE note_signed`)
	for _, sql := range []string{
		`UPDATE note_signature SET statement = (SELECT statement FROM was WHERE note_id <> note_signature.note_id AND n = note_signature.n)`,
		`UPDATE note_signature SET name = 'Eve'`, `UPDATE note_signature SET role = 'attending'`, `UPDATE note_signature SET at = at + interval '1 second'`,
		`UPDATE note_signature SET identity = (SELECT identity FROM was WHERE note_id <> note_signature.note_id AND n = note_signature.n)`, `UPDATE note_signature SET remark = NULL, identity = NULL`,
		`UPDATE note_signature SET remark = (SELECT remark FROM was WHERE note_id <> note_signature.note_id AND n = 2) WHERE n = 2`, `UPDATE note_signature SET remark = NULL`,
		`UPDATE note_signature SET identity = (SELECT identity FROM was WHERE note_id = note_signature.note_id AND n = 2) WHERE n = 1`,
		`UPDATE note_signature SET signer_id = '` + third.String() + `' WHERE n = 1`, `UPDATE note_signature SET head = head + 1`, `UPDATE note_signature SET hash = sha256('x')`,
		`UPDATE note_signature SET n = 3, meaning = 'witness' WHERE n = 1`, `UPDATE note_signature SET statement = set_byte(statement, 40, get_byte(statement, 40) # 1)`,
		`UPDATE note_signed SET content = (SELECT content FROM said WHERE note_id <> note_signed.note_id)`,
	} {
		h.must(t, sql)
		if _, _, err := h.db.SignedText(t.Context(), one); err == nil {
			t.Errorf("%s: not noticed", sql)
		}
		h.must(t, `DELETE FROM note_signature; DELETE FROM note_signed; INSERT INTO note_signature SELECT * FROM was; INSERT INTO note_signed SELECT * FROM said`)
	}
	if _, _, err := h.db.SignedText(t.Context(), one); err != nil {
		t.Error(err)
	}
}

// TestFreeze: who froze a note signs exactly what they read; until then nobody writes, and nobody else signs. Then it is as before.
func TestFreeze(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	ada := h.scribbler(note, h.author, 7)
	ada.types(t, "fine")
	if err := h.db.StartReview(t.Context(), note, h.author); err != nil || h.state(t, note) != store.Review {
		t.Fatal(err)
	}
	f, err := h.db.Freeze(t.Context(), note, h.author, time.Hour)
	if err != nil || f.Seq != 2 || time.Until(f.Until) > store.MaxFreeze {
		t.Fatalf("Freeze = %+v, %v", f, err)
	}
	if ada.types(t, "more") {
		t.Error("a frozen note takes an edit")
	}
	seen := h.seen(t, note)
	if _, err := h.db.Sign(t.Context(), note, h.other, seen); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("signed by somebody else: %v", err)
	}
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("signed without the freeze's number: %v", err)
	}
	if _, err := h.db.Freeze(t.Context(), note, h.other, time.Minute); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("frozen by somebody else: %v", err)
	}
	if err := h.db.LetGo(t.Context(), note, h.author, f.Epoch); err != nil || h.state(t, note) != store.Review {
		t.Errorf("let go: %s, %v", h.state(t, note), err)
	}
	again := h.scribbler(note, h.other, 8)
	if !again.types(t, "more") {
		t.Error("nothing is taken after letting go")
	}
	seen = h.seen(t, note)
	seen.Epoch = f.Epoch
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrFreezeOver) {
		t.Errorf("signed by a freeze that is over: %v", err)
	}

	// Whose time is over keeps nobody.
	if f, err = h.db.Freeze(t.Context(), note, h.author, time.Minute); err != nil {
		t.Fatal(err)
	}
	h.must(t, `UPDATE note SET frozen_until = now() WHERE id = $1`, note)
	if !again.types(t, "even more") || h.state(t, note) != store.Freezing {
		t.Error("nothing is taken after the freeze's time")
	}
	g, err := h.db.Freeze(t.Context(), note, h.other, time.Minute)
	if err != nil || g.Epoch <= f.Epoch {
		t.Fatalf("frozen anew: %+v, %v", g, err)
	}
	seen = h.seen(t, note)
	seen.Epoch = f.Epoch
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrFrozen) {
		t.Errorf("signed beside somebody else's freeze: %v", err)
	}
	seen.Epoch = g.Epoch
	s, err := h.db.Sign(t.Context(), note, h.other, seen)
	if err != nil || s.Signer != h.other || h.state(t, note) != store.Signed {
		t.Errorf("signed: %+v, %v", s, err)
	}
	if err := h.db.LetGo(t.Context(), note, h.other, g.Epoch); err != nil || h.state(t, note) != store.Signed {
		t.Errorf("let go afterwards: %v", err)
	}
}

// TestFreezesEnd: somebody holds a note still some times in a while, with or without letting go; then others write, and somebody else may.
func TestFreezesEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	ada := h.scribbler(note, h.author, 7)
	for i := range store.MaxFreezes {
		f, err := h.db.Freeze(t.Context(), note, h.author, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := h.db.LetGo(t.Context(), note, h.author, f.Epoch); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := h.db.Freeze(t.Context(), note, h.author, time.Minute); !errors.Is(err, store.ErrFreezes) {
		t.Errorf("held once more: %v", err)
	}
	if h.state(t, note) != store.Draft || !ada.types(t, "at last") {
		t.Error("nobody writes")
	}
	f, err := h.db.Freeze(t.Context(), note, h.other, time.Minute)
	if err != nil {
		t.Fatalf("held by somebody else: %v", err)
	}
	if err := h.db.LetGo(t.Context(), note, h.other, f.Epoch); err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Freeze(t.Context(), h.newNote(t), h.author, time.Minute); err != nil {
		t.Errorf("another note: %v", err)
	}
	h.must(t, `ALTER TABLE audit_event DISABLE TRIGGER USER`)
	h.must(t, `UPDATE audit_event SET at = at - interval '31 minutes'`)
	if _, err := h.db.Freeze(t.Context(), note, h.author, time.Minute); err != nil {
		t.Errorf("held again later: %v", err)
	}
}

// TestWhoSignsToo: an attending signs what a resident has; anybody may witness; nobody signs twice.
func TestWhoSignsToo(t *testing.T) {
	h := open(t)
	h.must(t, `UPDATE person SET role = 'resident', supervisor_id = $1 WHERE id = $2`, h.other, h.author)
	h.must(t, `UPDATE person SET role = 'attending' WHERE id = $1`, h.other)
	third := uuid.New()
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'cy', 'Cy', 'nurse', 0)`, third)
	note := h.newNote(t)
	seen := h.seen(t, note)
	if _, err := h.db.Cosign(t.Context(), note, h.other, seen); !errors.Is(err, store.ErrUnsigned) {
		t.Errorf("cosigned before it is signed: %v", err)
	}
	sheet, err := h.db.ReadyToSign(t.Context(), note, h.author)
	if err != nil || len(sheet.Cosigners) != 1 || sheet.Cosigners[0].ID != h.other || !sheet.Cosigners[0].Supervises {
		t.Errorf("cosigners: %+v, %v", sheet.Cosigners, err)
	}
	first := h.sign(t, note, h.author)
	inbox, err := h.db.AwaitingCosign(t.Context(), h.other)
	if err != nil || len(inbox) != 1 || inbox[0].Note.ID != note || !inbox[0].Supervises || inbox[0].Waited(time.Now()) <= 0 || inbox[0].Patient.Family != "Test" {
		t.Errorf("inbox: %+v, %v", inbox, err)
	}
	if mine, err := h.db.AwaitingCosign(t.Context(), h.author); err != nil || len(mine) > 0 {
		t.Errorf("the signer's own inbox: %+v, %v", mine, err)
	}
	if _, err := h.db.Witness(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrSignedBefore) {
		t.Errorf("witnessed by the author: %v", err)
	}
	if _, err := h.db.Cosign(t.Context(), note, h.other, store.Seen{}); !errors.Is(err, store.ErrChanged) {
		t.Errorf("cosigned unseen: %v", err)
	}
	witness, err := h.db.Witness(t.Context(), note, third, seen)
	if err != nil || witness.Number != 2 || witness.Previous != first.Hash || h.state(t, note) != store.Signed {
		t.Errorf("witnessed: %+v, %v", witness, err)
	}
	if !first.Cosign || witness.Cosign {
		t.Error("who has to be cosigned")
	}
	if _, err := h.db.Receive(t.Context(), note, third, seen); !errors.Is(err, store.ErrSignedBefore) {
		t.Errorf("read back by a witness: %v", err)
	}
	for _, words := range []string{" ", "a\u202eb", strings.Repeat("a", signature.MaxRemark+1)} {
		says := seen
		says.Remark = words
		if _, err := h.db.Cosign(t.Context(), note, h.other, says); !errors.Is(err, store.ErrRemark) {
			t.Errorf("cosigned with %.10q: %v", words, err)
		}
	}
	cosign, err := h.db.Cosign(t.Context(), note, h.other, seen)
	if err != nil || cosign.Number != 3 || cosign.Previous != witness.Hash || h.state(t, note) != store.Cosigned {
		t.Errorf("cosigned: %+v, %v", cosign, err)
	}
	if inbox, err := h.db.AwaitingCosign(t.Context(), h.other); err != nil || len(inbox) > 0 {
		t.Errorf("inbox afterwards: %+v, %v", inbox, err)
	}
	all, err := h.db.Signatures(t.Context(), note)
	if err != nil || len(all) != 3 || store.WaitsForCosign(all) || !store.WaitsForCosign(all[:2]) {
		t.Errorf("signatures: %d, %v", len(all), err)
	}
	other := h.newNote(t)
	h.sign(t, other, third)
	if _, err := h.db.Cosign(t.Context(), other, h.other, h.seen(t, other)); !errors.Is(err, store.ErrNoCosign) {
		t.Errorf("cosigned what a nurse signed: %v", err)
	}
}

// TestNotesAboutSignedOnes: an addendum, a correction and so on are notes of their own; by their signature the first becomes what it is
// then, the furthest counts, and its words stay.
func TestNotesAboutSignedOnes(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	if _, err := h.db.Amend(t.Context(), store.Amendment{Parent: note, Relation: signature.Addendum, Reason: "more", By: h.author}); !errors.Is(err, store.ErrUnsigned) {
		t.Errorf("an addendum to a draft: %v", err)
	}
	before := h.sign(t, note, h.author)
	if _, err := h.db.Amend(t.Context(), store.Amendment{Parent: note, Relation: signature.Addendum, By: h.author}); !errors.Is(err, store.ErrReason) {
		t.Errorf("without a reason: %v", err)
	}
	for _, step := range []struct {
		relation signature.Relation
		state    string
	}{
		{signature.LateEntry, store.Added}, {signature.Correction, store.Amended}, {signature.Addendum, store.Amended}, {signature.Retraction, store.Retracted},
	} {
		was := h.state(t, note)
		child, err := h.db.Amend(t.Context(), store.Amendment{
			Parent: note, Relation: step.relation, Reason: "canary of a reason", By: h.other,
			Body: prose.Node{Type: "doc", Content: []prose.Node{{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "x"}}}}},
		})
		if err != nil || h.state(t, note) != was {
			t.Fatalf("%s: begun: %v", step.relation, err)
		}
		about, err := h.db.AboutWhat(t.Context(), child)
		if err != nil || about.Parent != note || about.Relation != step.relation || about.Reason != "canary of a reason" {
			t.Errorf("%s: about %+v, %v", step.relation, about, err)
		}
		if s := h.sign(t, child, h.other); s.Parent != note || s.Relation != step.relation {
			t.Errorf("%s: signed %+v", step.relation, s.Statement)
		}
		if got := h.state(t, note); got != step.state {
			t.Errorf("%s: the note is %s, want %s", step.relation, got, step.state)
		}
	}
	all, err := h.db.AllAbout(t.Context(), note)
	if err != nil || len(all) != 4 || all[0].Relation != signature.LateEntry || all[3].State != store.Signed || all[3].Creator != "Bob" {
		t.Errorf("about the note: %+v, %v", all, err)
	}
	if now := h.seen(t, note); now.Hashes != before.Hashes {
		t.Error("the words of the note changed")
	}
	if _, err := h.db.Amend(t.Context(), store.Amendment{Parent: note, Relation: signature.Addendum, Reason: "more", By: h.author}); !errors.Is(err, store.ErrUnsigned) {
		t.Errorf("an addendum to what was entered in error: %v", err)
	}
	if _, err := h.db.Witness(t.Context(), note, h.other, h.seen(t, note)); !errors.Is(err, store.ErrUnsigned) {
		t.Errorf("a witness of what was entered in error: %v", err)
	}
	unsigned, err := h.db.UnsignedNotes(t.Context(), store.Unsigned{Author: h.author, Reader: h.author})
	if err != nil || len(unsigned) != 0 {
		t.Errorf("unsigned: %+v, %v", unsigned, err)
	}
	draft := h.newNote(t)
	unsigned, err = h.db.UnsignedNotes(t.Context(), store.Unsigned{Unit: "4w", Reader: h.author})
	if err != nil || len(unsigned) != 1 || unsigned[0].Note.ID != draft || unsigned[0].Age(time.Now()) <= 0 || !slices.Contains(unsigned[0].Ties, "unit") {
		t.Errorf("unsigned: %+v, %v", unsigned, err)
	}
}

// TestSheet: what somebody sees before they sign; and *** are not signed.
func TestSheet(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	ada, bob := h.scribbler(note, h.author, 7), h.scribbler(note, h.other, 8)
	ada.types(t, "one two three")
	bob.types(t, "give *** mg")
	sheet, err := h.db.ReadyToSign(t.Context(), note, h.author)
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Contributor{{Person: h.author, Words: 3}, {Person: h.other, Words: 3}}
	slices.SortFunc(want, func(a, b store.Contributor) int { return slices.Compare(a.Person[:], b.Person[:]) })
	if !slices.Equal(sheet.Contributors, want) || len(sheet.Blanks) != 1 || sheet.Blanks[0].Line != "give *** mg" || sheet.Seq != 3 || sheet.Cosigners != nil ||
		sheet.About != nil || sheet.Note.ID != note {
		t.Errorf("sheet: %+v", sheet)
	}
	if _, err := h.db.Sign(t.Context(), note, h.author, sheet.Seen()); !errors.Is(err, store.ErrBlanks) {
		t.Errorf("signed with ***: %v", err)
	}
}

// TestSigningIsOnRecord: who signed what, and who tried in vain.
func TestSigningIsOnRecord(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	if _, err := h.db.Sign(t.Context(), note, h.author, store.Seen{}); !errors.Is(err, store.ErrChanged) {
		t.Fatal(err)
	}
	s := h.sign(t, note, h.author)
	step(t, h.sequencer(t))
	var got []string
	entries, _ := h.entries(t)
	for _, e := range entries {
		switch e.Act {
		case audit.SignNote, audit.MakeNoteKey:
			if e.Act == audit.SignNote && (e.Note.UUID != note || e.Who.UUID != h.author || e.Patient.UUID != h.patient) {
				t.Errorf("%+v", e)
			}
			got = append(got, string(e.Act)+" "+string(e.Outcome)+" "+e.Code)
		}
	}
	if len(got) != 3 || got[0] != "note.sign failed changed" || got[1] != "note.signer done keys="+s.Keys.Fingerprint() ||
		!strings.HasPrefix(got[2], "note.sign done head=1 chain=") || !strings.HasSuffix(got[2], " n=1 "+s.Mark()) {
		t.Errorf("on record: %q", got)
	}
}

// TestSignersSeeWhoItIsAbout: if who the patient is was put right since somebody looked, they have not seen what they would sign; and if what they may
// do has changed since that was decided, they sign nothing.
func TestSignersSeeWhoItIsAbout(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	seen := h.seen(t, note)
	row, err := h.db.NoteByID(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	now := row.Patient
	now.BirthDate = now.BirthDate.AddDate(0, 0, 1)
	if id, err := h.db.PutPatient(t.Context(), now, ""); err != nil || id != now.ID {
		t.Fatal(id, err)
	}
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrChanged) {
		t.Errorf("signed about somebody else: %v", err)
	}
	st, err := h.db.Standing(t.Context(), h.author, note)
	if err != nil {
		t.Fatal(err)
	}
	seen = h.seen(t, note)
	seen.Stamp = &sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch}
	h.must(t, `UPDATE person SET role = 'student' WHERE id = $1`, h.author)
	if _, err := h.db.Sign(t.Context(), note, h.author, seen); !errors.Is(err, store.ErrRights) || h.state(t, note) != store.Draft {
		t.Errorf("signed by who is a student by now: %v", err)
	}
	h.must(t, `UPDATE person SET role = 'nurse' WHERE id = $1`, h.author)
	if st, err = h.db.Standing(t.Context(), h.author, note); err != nil {
		t.Fatal(err)
	}
	seen.Stamp = &sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch}
	s, err := h.db.Sign(t.Context(), note, h.author, seen)
	if err != nil || s.Patient != now.ID || s.Who.Born != now.BirthDate.Format(time.DateOnly) {
		t.Fatalf("signed %+v, %v", s, err)
	}
	seen.Stamp.Person--
	if _, err := h.db.Witness(t.Context(), note, h.other, seen); !errors.Is(err, store.ErrRights) {
		t.Errorf("witnessed on what was decided before: %v", err)
	}
}
