package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// maxLateNotes is how many notes with late edits are listed (I10).
const maxLateNotes = 500

// lateAt is where a late edit is sealed for: its number, its author and its session.
func lateAt(n uint64, author uuid.UUID, session uuid.UUID) vault.Place {
	return vault.Place{Kind: vault.LateEdit, Seq: n, Schema: updateSchema, With: append(append([]byte(nil), author[:]...), session[:]...)}
}

// KeepLate implements [sessions.Store]: the log of acts has an entry for the first of somebody within a minute.
func (db *DB) KeepLate(ctx context.Context, note sessions.NoteID, edit sessions.LateEdit) (kept bool, err error) {
	keys, err := db.keysToWrite(ctx, db.Queries, note)
	if err != nil {
		return false, err
	}
	row := queries.KeepLateParams{
		N: int64(edit.N), Author: edit.Author, Session: orNoID(edit.Session), Note: note,
		Data: keys.sealing().Seal(lateAt(edit.N, edit.Author, edit.Session), edit.Update),
	}
	e := audit.Event{Act: audit.KeepLate, Who: edit.Author, Note: note, About: edit.Session, Code: fmt.Sprintf("n=%d", edit.N)}
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		said, err := q.LateKeptSince(ctx, note, edit.Author, burstLasts.Seconds())
		if err != nil {
			return err
		}
		n, err := q.KeepLate(ctx, row)
		if kept = n == 1; err != nil || !kept || said {
			return err
		}
		return db.recordAbout(ctx, q, note, e)
	})
	if err != nil {
		return false, fmt.Errorf("keep late edit: %w", err)
	}
	return kept, nil
}

// LateEdits implements [sessions.Store].
func (db *DB) LateEdits(ctx context.Context, note sessions.NoteID) (edits []sessions.LateEdit, err error) {
	rows, err := db.Queries.LateEdits(ctx, note)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	err = db.withKeys(ctx, note, func(keys *keySet) error {
		edits = make([]sessions.LateEdit, len(rows))
		for i, row := range rows {
			if edits[i], err = keys.openLate(row); err != nil {
				return fmt.Errorf("late edit %d: %w", row.N, err)
			}
			if edits[i].N != uint64(i)+1 {
				return fmt.Errorf("late edit %d: one is missing before it: %w", row.N, vault.ErrTampered)
			}
		}
		return nil
	})
	return edits, err
}

func (k *keySet) openLate(row queries.LateEdit) (e sessions.LateEdit, err error) {
	e = sessions.LateEdit{N: uint64(row.N), Author: row.AuthorID, Session: row.SessionID.UUID, At: row.At}
	e.Update, err = k.open(lateAt(e.N, e.Author, e.Session), row.Data)
	return e, err
}

// Late is an edit that is kept beside a signed note, and what became of it.
type Late struct {
	sessions.LateText
	Settled *LateSettled // nil: its author has yet to decide
}

// LateSettled is what an author did about a late edit.
type LateSettled struct {
	Amended uuid.UUID // the note that was begun with it; zero: it was set aside
	Reason  string    // why it was set aside
	At      time.Time
}

// LateOf lists what is kept beside a note, in the order in which it came.
func (db *DB) LateOf(ctx context.Context, note uuid.UUID) ([]Late, error) {
	texts, err := sessions.ReadLate(ctx, db, note)
	if err != nil || len(texts) == 0 {
		return nil, err
	}
	rows, err := db.LateEditsSettled(ctx, note)
	if err != nil {
		return nil, err
	}
	whose, err := db.PatientOfNote(ctx, note)
	if err != nil {
		return nil, err
	}
	patient, err := db.PatientByID(ctx, whose)
	if err != nil {
		return nil, err
	}
	settled := make(map[uint64]*LateSettled, len(rows))
	for _, row := range rows {
		s := &LateSettled{Amended: row.Amendment.UUID, At: row.At}
		if s.Reason, err = db.wordsOf(ctx, patient, vault.LateWords, note, row.Reason); err != nil {
			return nil, err
		}
		settled[uint64(row.N)] = s
	}
	all := make([]Late, len(texts))
	for i, t := range texts {
		all[i] = Late{t, settled[t.N]}
	}
	return all, nil
}

// LateNote is a note beside which edits of somebody wait for them to decide.
type LateNote = queries.NotesWithLateRow

// LateNotes lists them of a person, or with none of everybody, the longest waiting first.
func (db *DB) LateNotes(ctx context.Context, person uuid.UUID) ([]LateNote, error) {
	return db.NotesWithLate(ctx, orNoID(person), maxLateNotes)
}

// ErrLate means that late edits are not somebody's to decide about, or were decided about before.
var ErrLate = errors.New("these edits are somebody else's, or something was decided about them already")

// AmendLate begins a note about a signed one with what somebody wrote too late: its words, a paragraph for each line. The edits are settled
// with it. The caller has decided that they may.
func (db *DB) AmendLate(ctx context.Context, a Amendment, numbers []uint64) (id uuid.UUID, err error) {
	if len(numbers) == 0 {
		return id, ErrLate
	}
	words, err := sessions.LateWords(ctx, db, a.Parent, a.By, numbers)
	if err != nil {
		return id, err
	}
	a.Body = prose.Node{Type: "doc"}
	for line := range strings.SplitSeq(words, "\n") {
		p := prose.Node{Type: "paragraph"}
		if line != "" {
			p.Content = []prose.Node{{Type: "text", Text: line}}
		}
		a.Body.Content = append(a.Body.Content, p)
	}
	if a.Relation == "" {
		a.Relation = signature.Addendum
	}
	child := uuid.New()
	err = db.amend(ctx, a, child, func(q *queries.Queries) error {
		return settleLate(ctx, q, queries.SettleLateParams{
			How: "amended", Amendment: uuid.NullUUID{UUID: child, Valid: true}, Note: a.Parent, Author: a.By, Numbers: signedNumbers(numbers),
		})
	}, &id)
	if err != nil {
		return uuid.Nil, fmt.Errorf("amend note %s: %w", a.Parent, signedAs(err))
	}
	return id, nil
}

// SetLateAside says that somebody does not want what they wrote too late, and why. It stays.
func (db *DB) SetLateAside(ctx context.Context, note, by uuid.UUID, numbers []uint64, reason string) error {
	if reason == "" || len(reason) > MaxReason {
		return ErrReason
	}
	patient, err := db.PatientOfNote(ctx, note)
	if err != nil {
		return err
	}
	sealed, err := db.sealWords(ctx, patient, vault.LateWords, note, reason)
	if err != nil {
		return err
	}
	e := audit.Event{Act: audit.SettleLate, Who: by, Patient: patient, Note: note, Code: fmt.Sprintf("set-aside=%d", len(numbers))}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		return settleLate(ctx, q, queries.SettleLateParams{How: "set aside", Reason: sealed, Note: note, Author: by, Numbers: signedNumbers(numbers)})
	})
}

// settleLate settles all of them, or none.
func settleLate(ctx context.Context, q *queries.Queries, p queries.SettleLateParams) error {
	n, err := q.SettleLate(ctx, p)
	if err == nil && n != int64(len(p.Numbers)) {
		err = ErrLate
	}
	return err
}

func signedNumbers(numbers []uint64) []int64 {
	all := make([]int64, len(numbers))
	for i, n := range numbers {
		all[i] = int64(n)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
