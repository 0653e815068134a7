package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// Classes that there always are. Both are longer or shorter as the facility says: see [DB.SetRetention].
const (
	RetainStandard = "standard" // applies to all
	RetainMinor    = "minor"    // of patients who were no adults when their record began
)

// adult is from how many years of age somebody is none any more.
const adult = 18

// ErrRetention marks what cannot be said of how long records are kept; the text is for whoever said it.
var ErrRetention = errors.New("cannot keep records so")

var retentionCodes = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Limits of how long records are kept, in years.
const (
	minYears = 1
	maxYears = 150
)

// SetRetention says for how many years records of a class are kept: patients that are of it, or with kinds, notes of the kind that is called
// so. What cannot be is an [ErrRetention].
func (db *DB) SetRetention(ctx context.Context, code string, kinds bool, years int) error {
	if !retentionCodes.MatchString(code) {
		return fmt.Errorf("%w: a class is called by 1 to 40 lower-case letters, digits and dashes", ErrRetention)
	}
	if years < minYears || years > maxYears {
		return fmt.Errorf("%w: a record is kept for %d to %d years", ErrRetention, minYears, maxYears)
	}
	what := "patients"
	if kinds {
		what = "notes"
	}
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		classes, err := q.RetentionClasses(ctx)
		if err != nil {
			return err
		}
		before := "none"
		for _, c := range classes {
			if c.RetentionClass.Code != code {
				continue
			}
			if c.RetentionClass.What != what {
				return fmt.Errorf("%w: %q is a class of %s", ErrRetention, code, c.RetentionClass.What)
			}
			before = fmt.Sprint(c.RetentionClass.Years)
		}
		e := audit.Event{Act: audit.SetRetention, Code: fmt.Sprintf("%s class=%s years=%d before=%s", what, code, years, before)}
		if err := db.record(ctx, q, e); err != nil { // before it is done, as the database demands
			return err
		}
		return q.SetRetentionClass(ctx, code, what, int32(years))
	})
}

// ClassifyPatient says of which class a patient's record is. It is an [ErrRetention] if there is no such class.
func (db *DB) ClassifyPatient(ctx context.Context, patient uuid.UUID, class string) error {
	e := audit.Event{Act: audit.SetRetention, Patient: patient, Code: "class=" + class}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		classes, err := q.RetentionClasses(ctx)
		if err != nil {
			return err
		}
		for _, c := range classes {
			if c.RetentionClass.Code == class && c.RetentionClass.What == "patients" {
				n, err := q.ClassOfPatient(ctx, patient, class)
				if err == nil && n == 0 {
					err = ErrNotFound
				}
				return err
			}
		}
		return fmt.Errorf("%w: there is no class %q of patients", ErrRetention, class)
	})
}

// classAt is the class of somebody born then whose record begins at a time.
func classAt(born, begun time.Time) string {
	if begun.Before(born.AddDate(adult, 0, 0)) {
		return RetainMinor
	}
	return RetainStandard
}

// classifiedAtOnce is how many patients are looked at in one go.
const classifiedAtOnce = 500

// Classify says of patients of whom nobody has, such as those of before there were classes, whether they were minors when their record
// began. It needs the vault; said is told of each. Who cannot be opened stays as they are, and is counted.
func (db *DB) Classify(ctx context.Context, said func()) (unreadable int, err error) {
	for {
		rows, err := db.Unclassified(ctx, int32(classifiedAtOnce+unreadable))
		if err != nil {
			return unreadable, fmt.Errorf("look up patients: %w", err)
		}
		sealed := make([]queries.Patient, len(rows))
		for i, row := range rows {
			sealed[i] = row.Patient
		}
		patients, err := db.openPatients(ctx, sealed)
		if err != nil {
			return unreadable, err
		}
		before := unreadable
		unreadable = 0
		for i, p := range patients {
			if p.BirthDate.IsZero() {
				unreadable++
				continue
			}
			if err := db.ClassIfUndecided(ctx, p.ID, classAt(p.BirthDate, rows[i].Since)); err != nil {
				return unreadable, fmt.Errorf("classify patient: %w", err)
			}
			said()
		}
		if len(rows) < classifiedAtOnce+before || len(rows) == unreadable {
			return unreadable, nil
		}
	}
}

// DueRow is a note whose time is over, with its patient.
type DueRow struct {
	queries.DueRow
	Patient Patient
}

// Due lists notes whose time is over, those first of which it has been for longest.
func (db *DB) Due(ctx context.Context, maxRows int32) ([]DueRow, error) {
	rows, err := db.Queries.Due(ctx, maxRows)
	return withPatients(ctx, db, rows, err, func(r queries.DueRow) queries.Patient { return r.Patient },
		func(r queries.DueRow, p Patient) DueRow { return DueRow{r, p} })
}

// BeginPurge returns the run that goes on: one that was stopped, or a new one.
func (db *DB) BeginPurge(ctx context.Context) (run uuid.UUID, err error) {
	run, err = db.UnfinishedRun(ctx)
	if errors.Is(err, ErrNotFound) {
		run = uuid.New()
		e := audit.Event{Act: audit.BeginPurge, Code: "run=" + run.String()}
		err = db.Act(ctx, &e, func(q *queries.Queries) error { return q.BeginRun(ctx, run) })
	}
	if err != nil {
		return run, fmt.Errorf("begin purge: %w", err)
	}
	return run, nil
}

// Purged says what a purge took away of a patient, or has taken from all.
type Purged struct {
	Notes    int
	Patients int
	Rows     int64 // of logs
	Held     int   // notes that stay, because a hold keeps them
}

// Add counts what another call did.
func (p *Purged) Add(more Purged) {
	p.Notes, p.Patients, p.Rows, p.Held = p.Notes+more.Notes, p.Patients+more.Patients, p.Rows+more.Rows, p.Held+more.Held
}

// PurgePatient takes away what is over of a patient's record: of each note the data keys and the rows of its log; and who they are, when
// nothing is left. Each is on record, and all of it is one transaction. Held notes stay. The rows of note and patient stay as well, and say
// that they are destroyed; so does the log of acts.
func (db *DB) PurgePatient(ctx context.Context, run, patient uuid.UUID) (done Purged, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		done = Purged{}
		notesSealed, err := q.NotesSealed(ctx)
		if err != nil {
			return err
		}
		patientsSealed, err := q.PatientsSealed(ctx)
		if err != nil {
			return err
		}
		if !notesSealed || !patientsSealed {
			return errNotAllSealed
		}
		if _, err := q.LockPatient(ctx, patient); err != nil {
			return err
		}
		notes, err := q.NotesToPurge(ctx, patient)
		if err != nil {
			return err
		}
		gone := make(map[uuid.UUID]bool)
		for _, n := range notes {
			gone[n.ID] = n.State == "destroyed"
		}
		over, err := q.NotesOver(ctx, patient)
		if err != nil {
			return err
		}
		for _, n := range over {
			if n.Held {
				done.Held++
				continue
			}
			rows, err := db.purgeNote(ctx, q, run, patient, n, gone[n.ID])
			if err != nil {
				return err
			}
			done.Notes, done.Rows = done.Notes+1, done.Rows+rows
		}
		left, err := q.PatientOver(ctx, patient)
		if err != nil || !left.Over {
			return err
		}
		done.Patients++
		return db.purgePatient(ctx, q, run, patient, left)
	})
	if err != nil {
		return Purged{}, fmt.Errorf("purge record: %w", refusedBy(err))
	}
	return done, nil
}

// purgeNote takes one note away that is over.
func (db *DB) purgeNote(ctx context.Context, q *queries.Queries, run, patient uuid.UUID, n queries.NotesOverRow, destroyed bool) (rows int64, err error) {
	if err := db.record(ctx, q, audit.Event{Act: audit.Purge, Patient: patient, Note: n.ID, Code: purgeCode(run, n.Ended)}); err != nil {
		return 0, err
	}
	if err := q.Purge(ctx, run, patient, uuid.NullUUID{UUID: n.ID, Valid: true}); err != nil {
		return 0, err
	}
	for _, remove := range []func(context.Context, uuid.UUID) (int64, error){
		q.PurgeThreadActs, q.PurgeThreads, q.PurgeLateSettled, q.PurgeLate, q.PurgeSigned, q.PurgeSettled, q.PurgeLosses, q.PurgeRecovered, q.PurgeBases, q.PurgeUpdates, q.PurgeBursts, q.PurgeWriters,
	} {
		k, err := remove(ctx, n.ID)
		if err != nil {
			return 0, err
		}
		rows += k
	}
	if destroyed { // by two people, before
		return rows, nil
	}
	if _, err := q.ShredKeys(ctx, int16(vault.OfNote), []uuid.UUID{n.ID}); err != nil {
		return 0, err
	}
	return rows, q.DestroyNotes(ctx, []uuid.UUID{n.ID})
}

// purgePatient takes away who a patient is of whom there is nothing else.
func (db *DB) purgePatient(ctx context.Context, q *queries.Queries, run, patient uuid.UUID, left queries.PatientOverRow) error {
	if err := db.record(ctx, q, audit.Event{Act: audit.Purge, Patient: patient, Code: purgeCode(run, left.Ended)}); err != nil {
		return err
	}
	if err := q.Purge(ctx, run, patient, uuid.NullUUID{}); err != nil || left.Destroyed {
		return err
	}
	if _, err := q.ShredKeys(ctx, int16(vault.OfPatient), []uuid.UUID{patient}); err != nil {
		return err
	}
	return q.DestroyPatient(ctx, patient)
}

func purgeCode(run uuid.UUID, ended time.Time) string {
	return fmt.Sprintf("run=%s over=%s", run, ended.UTC().Format(time.DateOnly))
}

// EndPurge says on record what a run did, from its beginning on, and has the tables written anew that keys were taken from.
func (db *DB) EndPurge(ctx context.Context, run uuid.UUID, held int) (notes, patients int64, err error) {
	e := audit.Event{Act: audit.EndPurge}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.CountPurged(ctx, run)
		if err != nil {
			return err
		}
		notes, patients = n.Notes, n.Patients
		e.Code = fmt.Sprintf("run=%s notes=%d patients=%d held=%d", run, notes, patients, held)
		return q.EndRun(ctx, run)
	})
	if err == nil {
		_, err = db.Erase(ctx)
	}
	if err != nil {
		return notes, patients, fmt.Errorf("end purge: %w", err)
	}
	return notes, patients, nil
}
