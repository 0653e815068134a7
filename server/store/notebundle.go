package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
)

// NoteBundle returns all that it takes to check a signed note, and the signed notes about it, away from here; that somebody took it is on
// record first. What was signed within the last seconds may have no place in the log of acts yet, and has no proof of one then. It is an
// [ErrUnsigned] if the note is not signed.
func (db *DB) NoteBundle(ctx context.Context, note uuid.UUID) (signature.Bundle, error) {
	b, err := db.noteBundle(ctx, note)
	if err != nil {
		return signature.Bundle{}, fmt.Errorf("bundle of note %s: %w", note, err)
	}
	return b, db.recordAbout(ctx, db.Queries, note, audit.Event{Act: audit.ExportNote, Code: fmt.Sprintf("bundle notes=%d", len(b.Notes))})
}

func (db *DB) noteBundle(ctx context.Context, note uuid.UUID) (b signature.Bundle, err error) {
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
	var signatures []Signature
	for _, a := range append(of, about...) {
		own, err := db.addNote(ctx, &b, a)
		if err != nil {
			return b, err
		}
		if len(own) == 0 && a.Note == note {
			return b, ErrUnsigned
		}
		signatures = append(signatures, own...)
	}
	if err := db.addPeople(ctx, &b); err != nil {
		return b, err
	}
	b.Log, err = db.proofOf(ctx, signatures)
	return b, err
}

// addNote adds a note to a bundle, if it is signed.
func (db *DB) addNote(ctx context.Context, b *signature.Bundle, a About) ([]Signature, error) {
	signatures, err := db.Signatures(ctx, a.Note)
	if err != nil || len(signatures) == 0 {
		return nil, err
	}
	content, attribution, err := db.SignedText(ctx, a.Note)
	if err != nil {
		return nil, err
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
	}
	b.Notes = append(b.Notes, n)
	return signatures, nil
}

// addPeople adds the names of who wrote any of the notes.
func (db *DB) addPeople(ctx context.Context, b *signature.Bundle) error {
	var ids []uuid.UUID
	for _, n := range b.Notes {
		runs, err := signature.ParseAttribution([]byte(n.Attribution))
		if err != nil {
			return err
		}
		for _, r := range runs {
			if r.Person != uuid.Nil && !slices.Contains(ids, r.Person) {
				ids = append(ids, r.Person)
			}
		}
	}
	people, err := db.PeopleByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range people {
		b.People = append(b.People, signature.Person{ID: p.ID, Name: signature.PrintedName(p.Name)})
	}
	slices.SortFunc(b.People, func(x, y signature.Person) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return nil
}

// proofOf is a bundle of the log of acts, with the entries of those signatures that have a place there; "": none has.
func (db *DB) proofOf(ctx context.Context, signatures []Signature) (string, error) {
	log, err := db.AuditLog(ctx, false)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var entries []audit.Sequenced
	for _, s := range signatures {
		seq, err := db.EntryOfSignature(ctx, queries.EntryOfSignatureParams{Note: s.Note, Act: string(s.Meaning.Act()), Who: s.Signer, Mark: s.Mark()})
		if errors.Is(err, ErrNotFound) || err == nil && seq >= log.Signed {
			continue // not yet
		}
		if err != nil {
			return "", err
		}
		entry, err := log.Prove(ctx, seq)
		if err != nil {
			return "", err
		}
		entries = append(entries, entry)
	}
	if len(entries) == 0 {
		return "", nil
	}
	slices.SortFunc(entries, func(a, b audit.Sequenced) int { return int(a.N - b.N) })
	var text bytes.Buffer
	w, err := audit.NewBundle(&text, log.Keys, true)
	if err == nil {
		err = w.Write(audit.Item{Checkpoint: log.Newest})
	}
	for i := range entries {
		if err == nil {
			err = w.Write(audit.Item{Entry: &entries[i]})
		}
	}
	if err == nil {
		err = w.Close()
	}
	return text.String(), err
}
