package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// This file has the queries whose rows say who a patient is. Each opens that, and stands for the query of the same name.

// NoteByIDRow is a note with its patient.
type NoteByIDRow struct {
	queries.NoteByIDRow
	Patient Patient
}

// NoteByID returns a note. The error is [ErrNotFound] if there is none, and another if it cannot be said whose it is, or is on record as
// another patient's.
func (db *DB) NoteByID(ctx context.Context, id uuid.UUID) (NoteByIDRow, error) {
	row, err := db.Queries.NoteByID(ctx, id)
	if err != nil {
		return NoteByIDRow{}, err
	}
	if row.Misplaced && row.Note.State != Gone { // unless that was put right
		if err := db.placeOf(ctx, id); err != nil {
			db.recordFault(ctx, err)
			return NoteByIDRow{}, fmt.Errorf("whose note %s is: %w", id, err)
		}
	}
	p, err := db.OpenPatient(ctx, row.Patient)
	return NoteByIDRow{row, p}, err
}

// placeOf compares whose a note is with what is on record.
func (db *DB) placeOf(ctx context.Context, note sessions.NoteID) error {
	return db.withKeys(ctx, note, func(keys *keySet) error {
		return db.reading(ctx, func(q *queries.Queries) error {
			row, err := q.NoteToLoad(ctx, note)
			if err == nil {
				_, _, err = anchorOf(ctx, q, keys, note, row)
			}
			return err
		})
	})
}

// NotesForRow is a note of a list with its patient.
type NotesForRow struct {
	queries.NotesForRow
	Patient Patient
}

// NotesFor lists notes about patients whom a person has something to do with.
func (db *DB) NotesFor(ctx context.Context, arg queries.NotesForParams) ([]NotesForRow, error) {
	rows, err := db.Queries.NotesFor(ctx, arg)
	return withPatients(ctx, db, rows, err, func(r queries.NotesForRow) queries.Patient { return r.Patient },
		func(r queries.NotesForRow, p Patient) NotesForRow { return NotesForRow{r, p} })
}

// BedsForRow is a bed; Patient is who lies there, if PatientID says that somebody does.
type BedsForRow struct {
	queries.BedsForRow
	Patient Patient
}

// BedsFor lists the beds of a unit.
func (db *DB) BedsFor(ctx context.Context, person uuid.UUID, unit string) ([]BedsForRow, error) {
	rows, err := db.Queries.BedsFor(ctx, person, unit)
	if err != nil {
		return nil, err
	}
	var lying []queries.Patient
	for _, r := range rows {
		if r.PatientID.Valid {
			lying = append(lying, queries.Patient{ID: r.PatientID.UUID, Sealed: r.Sealed, Vip: r.Vip})
		}
	}
	patients, err := db.openPatients(ctx, lying)
	if err != nil {
		return nil, err
	}
	beds := make([]BedsForRow, len(rows))
	for i, r := range rows {
		beds[i].BedsForRow = r
		if r.PatientID.Valid {
			beds[i].Patient, patients = patients[0], patients[1:]
		}
	}
	return beds, nil
}

// PatientByMRN finds a patient by number. The error is [ErrNotFound] if there is none, and a [vault.ErrTampered] if the one who is found has
// another number.
func (db *DB) PatientByMRN(ctx context.Context, mrn string) (queries.PatientByIndexRow, error) {
	return db.patientByMRN(ctx, db.Queries, mrn)
}

func (db *DB) patientByMRN(ctx context.Context, q *queries.Queries, mrn string) (queries.PatientByIndexRow, error) {
	if db.vault == nil {
		return queries.PatientByIndexRow{}, ErrNoKeys
	}
	row, err := q.PatientByIndex(ctx, db.mrnIndex(mrn))
	if err == nil {
		err = db.hasNumber(ctx, row.Patient, mrn)
	}
	return row, err
}

// hasNumber compares the number of a patient who was found by it with their record: the hash beside that is whoever's who writes in the database.
func (db *DB) hasNumber(ctx context.Context, row queries.Patient, mrn string) error {
	keys, err := db.patientKeys(ctx, []uuid.UUID{row.ID})
	if err != nil {
		return err
	}
	_, r, _, err := openPatient(keys[row.ID], row)
	if err == nil && !bytes.Equal(db.mrnIndex(r.MRN), db.mrnIndex(mrn)) {
		err = otherNumber(row.ID)
	}
	return err
}

// PatientSought finds a patient by number, or by the bed they lie in. Errors are those of [DB.PatientByMRN].
func (db *DB) PatientSought(ctx context.Context, numberOrBed string) (uuid.UUID, error) {
	if db.vault == nil {
		return uuid.Nil, ErrNoKeys
	}
	row, err := db.PatientAtIndexOrBed(ctx, db.mrnIndex(numberOrBed), numberOrBed)
	if err == nil && row.ByNumber {
		err = db.hasNumber(ctx, row.Patient, numberOrBed)
	}
	if err != nil {
		return uuid.Nil, err
	}
	return row.Patient.ID, nil
}

// FollowRow is an opened record, with its patient.
type FollowRow struct {
	queries.FollowRow
	Patient Patient
}

// Follow lists who has opened any record, the oldest first.
func (db *DB) Follow(ctx context.Context, arg queries.FollowParams) ([]FollowRow, error) {
	rows, err := db.Queries.Follow(ctx, arg)
	return withPatients(ctx, db, rows, err, func(r queries.FollowRow) queries.Patient { return r.Patient },
		func(r queries.FollowRow, p Patient) FollowRow { return FollowRow{r, p} })
}

// withPatients opens the patients of rows.
func withPatients[Row, Opened any](ctx context.Context, db *DB, rows []Row, err error, of func(Row) queries.Patient, with func(Row, Patient) Opened) ([]Opened, error) {
	if err != nil {
		return nil, err
	}
	sealed := make([]queries.Patient, len(rows))
	for i, r := range rows {
		sealed[i] = of(r)
	}
	patients, err := db.openPatients(ctx, sealed)
	if err != nil {
		return nil, err
	}
	opened := make([]Opened, len(rows))
	for i, r := range rows {
		opened[i] = with(r, patients[i])
	}
	return opened, nil
}

// GlassForRow is broken glass, with whose record it was and what was said.
type GlassForRow struct {
	queries.GlassForRow
	Patient     Patient
	Words       string
	ReviewWords string
}

// GlassFor lists broken glass that a person has something to do with, or with everyone all.
func (db *DB) GlassFor(ctx context.Context, person uuid.UUID, everyone bool, maxRows int32) ([]GlassForRow, error) {
	rows, err := db.Queries.GlassFor(ctx, person, everyone, maxRows)
	opened, err := withPatients(ctx, db, rows, err, func(r queries.GlassForRow) queries.Patient { return r.Patient },
		func(r queries.GlassForRow, p Patient) GlassForRow { return GlassForRow{GlassForRow: r, Patient: p} })
	if err != nil {
		return nil, err
	}
	for i, r := range opened {
		if opened[i].Words, err = db.wordsOf(ctx, r.GlassForRow.Patient, vault.GlassWords, r.Glass.ID, r.Glass.Words); err == nil {
			opened[i].ReviewWords, err = db.wordsOf(ctx, r.GlassForRow.Patient, vault.ReviewWords, r.Glass.ID, r.GlassForRow.ReviewWords)
		}
		if err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// wordsOf opens what was said about a patient's record, on something that was done to it; what does not open is unreadable, and without
// a record nothing was said.
func (db *DB) wordsOf(ctx context.Context, patient queries.Patient, kind vault.Kind, on uuid.UUID, record []byte) (words string, err error) {
	if record == nil {
		return "", nil
	}
	if patient.DestroyedAt != nil {
		return Destroyed, nil
	}
	keys, err := db.patientKeys(ctx, []uuid.UUID{patient.ID}) // mostly in memory
	if err != nil {
		return "", err
	}
	err = errNoPatientKey
	if k := keys[patient.ID]; k != nil {
		err = openValue(k, wordsAt(kind, on), record, &words)
	}
	if err != nil {
		db.log.Error("words about a record do not open", "on", on, "err", err)
		return Unreadable, nil
	}
	return words, nil
}

// sealWords seals what is said about a patient's record, on something that is done to it.
func (db *DB) sealWords(ctx context.Context, patient uuid.UUID, kind vault.Kind, on uuid.UUID, words string) ([]byte, error) {
	keys, err := db.patientKeys(ctx, []uuid.UUID{patient})
	if err != nil {
		return nil, err
	}
	if keys[patient] == nil {
		if row, err := db.PatientByID(ctx, patient); err == nil && row.DestroyedAt != nil {
			return nil, sessions.ErrDestroyed
		}
		return nil, errNoPatientKey
	}
	return sealValue(keys[patient].sealing(), wordsAt(kind, on), words)
}

// UnusualRow is what is unusual about who has opened whose record.
type UnusualRow struct {
	queries.UnusualRow
	Patient Patient
}

// Unusual lists who has opened whose record since a time, as far as something about it is unusual.
func (db *DB) Unusual(ctx context.Context, arg queries.UnusualParams) ([]UnusualRow, error) {
	readers, err := db.ReadersSince(ctx, arg.Since)
	if err != nil {
		return nil, err
	}
	sealed, err := db.ReadSince(ctx, arg.Since)
	if err != nil {
		return nil, err
	}
	patients, err := db.openPatients(ctx, sealed)
	if err != nil {
		return nil, err
	}
	bearing := make(map[string][]uuid.UUID) // patients by each word of their family name
	for _, p := range patients {
		if p.Family == Destroyed {
			continue
		}
		for _, word := range nameWords(p.Family) {
			bearing[word] = append(bearing[word], p.ID)
		}
	}
	for _, r := range readers {
		for _, word := range nameWords(r.Name) {
			for _, patient := range bearing[word] {
				arg.Namesakes, arg.Named = append(arg.Namesakes, r.ID), append(arg.Named, patient)
			}
		}
	}
	rows, err := db.Queries.Unusual(ctx, arg)
	return withPatients(ctx, db, rows, err, func(r queries.UnusualRow) queries.Patient { return r.Patient },
		func(r queries.UnusualRow, p Patient) UnusualRow { return UnusualRow{r, p} })
}

// particles of names are borne by many who are not related.
var particles = map[string]bool{
	"al": true, "bin": true, "da": true, "de": true, "den": true, "der": true, "di": true, "el": true, "la": true, "le": true, "van": true, "von": true,
}

// nameWords are those of a name by which people may be related; a double name has two.
func nameWords(name string) (words []string) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return r == '-' || unicode.IsSpace(r) }) {
		if !particles[word] {
			words = append(words, word)
		}
	}
	return words
}
