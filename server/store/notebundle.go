package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
)

// ExportNote is NoteBundle for whoever runs the server. That they took it is on record first.
func (db *DB) ExportNote(ctx context.Context, note uuid.UUID) (signature.Bundle, error) {
	b, err := db.NoteBundle(ctx, note, func(uuid.UUID) (bool, error) { return true, nil })
	if err != nil {
		return signature.Bundle{}, err
	}
	return b, db.recordAbout(ctx, db.Queries, note, audit.Event{Act: audit.ExportNote, Code: fmt.Sprintf("bundle notes=%d", len(b.Notes))})
}

// NoteBundle returns all that it takes to check a signed note away from here, and those signed notes about it that may allows; how many it does not, or
// are about such, the bundle says. The caller puts on record who gets it. What was signed within the last seconds may have no place in the log of acts
// yet, and has no proof of one then. It is an [ErrUnsigned] if the note is not signed.
func (db *DB) NoteBundle(ctx context.Context, note uuid.UUID, may func(about uuid.UUID) (bool, error)) (signature.Bundle, error) {
	b, err := db.noteBundle(ctx, note, may)
	if err != nil {
		return signature.Bundle{}, fmt.Errorf("bundle of note %s: %w", note, err)
	}
	return b, nil
}

func (db *DB) noteBundle(ctx context.Context, note uuid.UUID, may func(about uuid.UUID) (bool, error)) (b signature.Bundle, err error) {
	if _, err := db.keysOf(ctx, db.Queries, note); err != nil { // there is none, or it was destroyed
		return b, err
	}
	about, err := db.AllAbout(ctx, note)
	if err != nil {
		return b, err
	}
	of := []About{{Note: note}}
	if own, err := db.AboutWhat(ctx, note); err == nil {
		of[0].Reason = own.Reason
	} else if !errors.Is(err, ErrNotFound) {
		return b, err
	}
	log, err := db.AuditLog(ctx, false)
	if errors.Is(err, ErrNotFound) {
		log, err = nil, nil
	}
	if err != nil {
		return b, err
	}
	made := bundling{db: db, log: log, rows: signature.MaxHistory, entries: signature.MaxAnchors, people: make(map[uuid.UUID]bool)}
	in := make(map[uuid.UUID]bool)
	for _, a := range append(of, about...) {
		if a.Note != note && IsSigned(a.State) {
			if allowed, err := may(a.Note); err != nil {
				return b, err
			} else if !allowed || !in[a.Parent] {
				made.LeftOut++
				continue
			}
		}
		in[a.Note] = true
		signed, err := made.note(ctx, a)
		if err != nil {
			return b, err
		}
		if !signed && a.Note == note {
			return b, ErrUnsigned
		}
	}
	return made.whole(ctx)
}

// bundling is a bundle that is being made.
type bundling struct {
	signature.Bundle
	db *DB

	log    *AuditLog      // nil: nothing of it is signed for yet
	places map[int64]bool // of the entries that it proves

	rows, entries int // that histories may still have (I10)
	people        map[uuid.UUID]bool
}

// note adds a note, if it is signed.
func (b *bundling) note(ctx context.Context, a About) (signed bool, err error) {
	signatures, err := b.db.Signatures(ctx, a.Note)
	if err != nil || len(signatures) == 0 {
		return false, err
	}
	content, attribution, err := b.db.SignedText(ctx, a.Note)
	if err != nil {
		return false, err
	}
	runs, err := signature.ParseAttribution(attribution)
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		b.people[r.Person] = true
	}
	n := signature.BundleNote{Note: a.Note, Content: string(content), Attribution: string(attribution), Reason: a.Reason}
	for _, s := range signatures {
		n.Signatures = append(n.Signatures, string(s.Signed))
		if s.Patient != uuid.Nil && !slices.Contains(b.Texts, s.Who.Text()) {
			b.Texts = append(b.Texts, s.Who.Text())
		}
		if s.Said != "" && !slices.Contains(b.Texts, s.Said) {
			b.Texts = append(b.Texts, s.Said)
		}
		if !slices.Contains(b.Keys, s.Keys.String()) {
			b.Keys = append(b.Keys, s.Keys.String())
		}
		if err := b.proveSignature(ctx, s); err != nil {
			return false, err
		}
	}
	if n.History, err = b.history(ctx, signatures[0]); err != nil {
		return false, err
	}
	b.Notes = append(b.Notes, n)
	return true, nil
}

// history is the log of a note as somebody signed it first.
func (b *bundling) history(ctx context.Context, of Signature) (string, error) {
	h, places, err := b.db.historyOf(ctx, of, b.rows, b.entries, b.signed())
	if err != nil {
		return "", err
	}
	b.rows, b.entries = b.rows-len(h.Rows), b.entries-len(places)
	b.prove(places...)
	for _, r := range h.Rows {
		b.people[r.Author] = true
	}
	return h.Text(), nil
}

// signed is how many entries of the log of acts there are proofs for.
func (b *bundling) signed() int64 {
	if b.log == nil {
		return 0
	}
	return b.log.Signed
}

// proveSignature has the bundle prove that the log of acts has a signature, if it has a place there yet.
func (b *bundling) proveSignature(ctx context.Context, s Signature) error {
	seq, err := b.db.EntryOfSignature(ctx, queries.EntryOfSignatureParams{Note: s.Note, Act: string(s.Meaning.Act()), Who: s.Signer, Mark: s.Mark()})
	if errors.Is(err, ErrNotFound) || err == nil && seq >= b.signed() {
		return nil
	}
	if err == nil {
		b.prove(seq)
	}
	return err
}

func (b *bundling) prove(places ...int64) {
	if b.places == nil {
		b.places = make(map[int64]bool)
	}
	for _, seq := range places {
		b.places[seq] = true
	}
}

// whole adds names and proofs.
func (b *bundling) whole(ctx context.Context) (signature.Bundle, error) {
	err := b.addPeople(ctx)
	if err == nil && len(b.places) > 0 {
		b.Log, err = b.proofs(ctx)
	}
	return b.Bundle, err
}

// addPeople adds the names of who wrote any of the notes.
func (b *bundling) addPeople(ctx context.Context) error {
	delete(b.people, uuid.Nil)
	people, err := b.db.PeopleByID(ctx, slices.Collect(maps.Keys(b.people)))
	if err != nil {
		return err
	}
	for _, p := range people {
		b.People = append(b.People, signature.Person{ID: p.ID, Name: signature.PrintedName(p.Name)})
	}
	slices.SortFunc(b.People, func(x, y signature.Person) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return nil
}

// proofs is a bundle of the log of acts, with the entries of some places.
func (b *bundling) proofs(ctx context.Context) (string, error) {
	var text bytes.Buffer
	w, err := audit.NewBundle(&text, b.log.Keys, true)
	if err == nil {
		err = w.Write(audit.Item{Checkpoint: b.log.Newest})
	}
	for _, seq := range slices.Sorted(maps.Keys(b.places)) {
		if err != nil {
			return "", err
		}
		entry, bad := b.log.Prove(ctx, seq)
		if err = bad; err == nil {
			err = w.Write(audit.Item{Entry: &entry})
		}
	}
	if err == nil {
		err = w.Close()
	}
	return text.String(), err
}
