package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// Records about a patient that are written over have a number, sealed in them, and each time the log of acts says, in the entry of the act,
// which it is, with a keyed hash of what it says. An earlier record, which opens as well, is not the one that is on record.

// marks are what the log of acts says of the records of some patients, or of some threads of comments. It is looked up before a record is read, or says less than is there.
type marks map[uuid.UUID]queries.MarksRow

func marksOf(ctx context.Context, q *queries.Queries, act audit.Act, of ...uuid.UUID) (marks, error) {
	rows, err := q.Marks(ctx, of, string(act))
	if err != nil {
		return nil, fmt.Errorf("look up which records there are: %w", err)
	}
	m := make(marks, len(rows))
	for _, row := range rows {
		m[row.Whose] = row
	}
	return m, nil
}

// next is the number of the record that comes.
func (m marks) next(patient uuid.UUID) uint64 { return uint64(m[patient].Rev) + 1 }

// noRecord is what entries have instead of a hash when there is no record any more.
const noRecord = "none"

// markCode is how an entry says which record there is from now on. key is the patient's first, whichever seals what is new.
func markCode(key *vault.Key, act audit.Act, rev uint64, says []byte) string {
	mark := noRecord
	if says != nil {
		mark = base64.StdEncoding.EncodeToString(key.Index("tidechart/mark/v1 "+string(act), fmt.Sprint(rev, " ", string(unpadded(says)))))
	}
	return fmt.Sprintf("rev=%d mark=%s", rev, mark)
}

// unpadded is JSON without the blanks that it is sealed with.
func unpadded(says []byte) []byte { return bytes.TrimRight(says, " ") }

// markedThing is what an act's records are of.
func markedThing(act audit.Act) string {
	if act == audit.CommentNote || act == audit.PlaceThread {
		return "thread"
	}
	return "patient"
}

// check compares a record with what is on record. One that is newer than that was written since.
func (m marks) check(whose uuid.UUID, keys *keySet, act audit.Act, rev uint64, says []byte) error {
	on, is := m[whose]
	switch {
	case !is || says != nil && rev > uint64(on.Rev):
		return nil
	case says == nil && strings.Contains(on.Code, " mark="+noRecord):
		return nil
	case says == nil || rev < uint64(on.Rev):
		return fmt.Errorf("%s: %s of %s %s is number %d, and number %d is on record: %w", audit.RolledBack, act, markedThing(act), whose, rev, on.Rev, vault.ErrTampered)
	case !strings.Contains(on.Code, markCode(keys.chaining(), act, rev, says)):
		return fmt.Errorf("%s: %s of %s %s is another number %d than the one that is on record: %w", audit.Forked, act, markedThing(act), whose, rev, vault.ErrTampered)
	}
	return nil
}

// markedAtOnce is how many records are looked at in one go.
const markedAtOnce = 500

// markRecords has the log of acts say which records there are in a database of a version before. Whoever begins again begins anew, which
// changes nothing.
func (db *DB) markRecords(ctx context.Context) error {
	if made, err := db.MarksMade(ctx); err != nil || made {
		return err
	}
	err := db.eachPatient(ctx, func(rows []queries.Patient, keys map[uuid.UUID]*keySet) error {
		return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
			for _, row := range rows {
				if err := db.markPatient(ctx, q, keys[row.ID], row.ID); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("say which records there are: %w", err)
	}
	return db.SetMarksMade(ctx)
}

// markPatient does it for one, unless it is said. What does not open is left as it is.
func (db *DB) markPatient(ctx context.Context, q *queries.Queries, keys *keySet, patient uuid.UUID) error {
	row, err := q.LockPatient(ctx, patient)
	if err != nil || keys == nil {
		return err
	}
	for _, act := range []audit.Act{audit.ChangePatient, audit.ChangeBedside} {
		on, err := marksOf(ctx, q, act, patient)
		if err != nil {
			return err
		}
		at, sealed := recordOfPatient, row.Sealed
		if act == audit.ChangeBedside {
			at, sealed = bedsideOfPatient, nil
			if stay, err := q.StayOf(ctx, patient); err == nil {
				sealed = stay.Bedside
			}
		}
		if _, said := on[patient]; said || sealed == nil {
			continue
		}
		says, err := keys.open(at, sealed)
		if err != nil {
			db.log.Error("record of a patient does not open", "patient", patient, "err", err)
			continue
		}
		var r struct{ Rev uint64 }
		if err := json.Unmarshal(says, &r); err != nil {
			return err
		}
		if err := db.record(ctx, q, audit.Event{Act: act, Patient: patient, Code: "as it was " + markCode(keys.chaining(), act, r.Rev, says)}); err != nil {
			return err
		}
	}
	return nil
}

// eachPatient calls f with all patients whose records are there, some at once, and their keys.
func (db *DB) eachPatient(ctx context.Context, f func(rows []queries.Patient, keys map[uuid.UUID]*keySet) error) error {
	for after, more := uuid.Nil, true; more; {
		rows, err := db.PatientsAfter(ctx, after, markedAtOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]uuid.UUID, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		keys, err := db.patientKeys(ctx, ids)
		if err == nil {
			err = f(rows, keys)
		}
		if err != nil {
			return err
		}
		after, more = ids[len(ids)-1], len(rows) == markedAtOnce
	}
	return nil
}

// CheckPatients compares the record of every patient with the number that it is found by, and with what is on record, likewise what their
// beds say, and calls checked for each, with what is wrong, if anything is. It needs the vault.
func (db *DB) CheckPatients(ctx context.Context, checked func(wrong error)) error {
	return db.eachPatient(ctx, func(rows []queries.Patient, keys map[uuid.UUID]*keySet) error {
		for _, row := range rows {
			p, err := db.OpenPatient(ctx, row)
			if err == nil && !bytes.Equal(db.mrnIndex(p.Mrn), row.MrnIndex) {
				err = otherNumber(row.ID)
			}
			if err == nil {
				if _, err = db.Bedside(ctx, row.ID); errors.Is(err, ErrNotFound) { // they lie nowhere
					err = nil
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			checked(err)
		}
		return nil
	})
}

func otherNumber(patient uuid.UUID) error {
	return fmt.Errorf("%s: the hash that finds patient %s is of another number than their record has: %w", audit.Misplaced, patient, vault.ErrTampered)
}
