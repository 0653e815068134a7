package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// MaxBedsideChanges is how many of the last changes are kept beside what a bed says (I10).
const MaxBedsideChanges = 12

// ErrBedsideChanged means that somebody else changed it first, or that the patient lies elsewhere by now.
var ErrBedsideChanged = errors.New("the bed has changed meanwhile")

// Bedside is what a team has to know of a patient at a glance: codes of package bedside, of which an empty one says that nobody
// has said. It belongs to a stay, is sealed for its patient, and ends with the stay.
type Bedside struct {
	Severity  string
	Code      string
	Isolation string
	Home      time.Time // the day on which they are expected to go; zero: nobody has said

	Changes []BedsideChange // the newest first
	N       int32           // how often it was changed
	At      time.Time       // when last; zero: never
}

// BedsideChange is what somebody changed.
type BedsideChange struct {
	At   time.Time
	By   string // a name
	What string // a field, as [Bedside.differs] names it
	Was  string // a code, or a date; empty: nobody had said
	Now  string
}

// bedsideRecord is what is sealed of it: version 1.
type bedsideRecord struct {
	Severity  string                `json:"severity"`
	Code      string                `json:"code"`
	Isolation string                `json:"isolation"`
	Home      string                `json:"home"` // YYYY-MM-DD
	Changes   []bedsideChangeRecord `json:"changes"`
	Rev       uint64                `json:"rev,omitempty"` // how often anything was said of the patient; 0: by a version that did not count
}

type bedsideChangeRecord struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What string    `json:"what"`
	Was  string    `json:"was"`
	Now  string    `json:"now"`
}

var bedsideOfPatient = vault.Place{Kind: vault.Bedside, Schema: 1}

// home is the day as it is stored.
func (b Bedside) home() string {
	if b.Home.IsZero() {
		return ""
	}
	return b.Home.Format(time.DateOnly)
}

// differs lists what b says otherwise than was.
func (b Bedside) differs(was Bedside) (changes []BedsideChange) {
	for _, field := range []struct{ name, was, now string }{
		{"severity", was.Severity, b.Severity}, {"code status", was.Code, b.Code}, {"isolation", was.Isolation, b.Isolation}, {"discharge", was.home(), b.home()},
	} {
		if field.was != field.now {
			changes = append(changes, BedsideChange{What: field.name, Was: field.was, Now: field.now})
		}
	}
	return changes
}

// seal seals it as the record of a number, and returns what the log of acts is told, by the patient's first key.
func (b Bedside) seal(key, first *vault.Key, rev uint64) (sealed []byte, code string, err error) {
	r := bedsideRecord{Severity: b.Severity, Code: b.Code, Isolation: b.Isolation, Home: b.home(), Rev: rev}
	for _, c := range b.Changes {
		r.Changes = append(r.Changes, bedsideChangeRecord(c))
	}
	says, err := json.Marshal(r)
	if err != nil {
		return nil, "", err
	}
	return sealJSON(key, bedsideOfPatient, says), markCode(first, audit.ChangeBedside, rev, says), nil
}

// openBedside opens what the bed of a patient says, if it is what is on record.
func openBedside(keys *keySet, patient uuid.UUID, sealed []byte, n int32, at *time.Time, on marks) (b Bedside, err error) {
	if b.N = n; sealed == nil {
		return b, on.check(patient, keys, audit.ChangeBedside, 0, nil)
	}
	if keys == nil {
		return b, errNoPatientKey
	}
	var r bedsideRecord
	says, err := keys.open(bedsideOfPatient, sealed)
	if err == nil {
		err = json.Unmarshal(says, &r)
	}
	if err == nil {
		err = on.check(patient, keys, audit.ChangeBedside, r.Rev, says)
	}
	if err != nil {
		return b, err
	}
	b.Severity, b.Code, b.Isolation = r.Severity, r.Code, r.Isolation
	if r.Home != "" {
		if b.Home, err = time.ParseInLocation(time.DateOnly, r.Home, time.Local); err != nil {
			return b, errors.New("no date of discharge")
		}
	}
	if at != nil {
		b.At = *at
	}
	for _, c := range r.Changes {
		b.Changes = append(b.Changes, BedsideChange(c))
	}
	return b, nil
}

// Bedside returns what the bed of a patient says. The error is [ErrNotFound] if they lie nowhere.
func (db *DB) Bedside(ctx context.Context, patient uuid.UUID) (Bedside, error) {
	on, err := marksOf(ctx, db.Queries, audit.ChangeBedside, patient)
	if err != nil {
		return Bedside{}, err
	}
	row, err := db.StayOf(ctx, patient)
	if err != nil {
		return Bedside{}, err
	}
	keys, err := db.patientKeys(ctx, []uuid.UUID{patient})
	if err != nil {
		return Bedside{}, err
	}
	return openBedside(keys[patient], patient, row.Bedside, row.BedsideN, row.BedsideAt, on)
}

// beginBedside has a stay that is about to begin say nothing of a patient, whatever an earlier one said.
func (db *DB) beginBedside(ctx context.Context, q *queries.Queries, patient uuid.UUID) error {
	on, err := marksOf(ctx, q, audit.ChangeBedside, patient)
	if _, said := on[patient]; err != nil || !said {
		return err
	}
	if _, err := q.StayOf(ctx, patient); !errors.Is(err, ErrNotFound) {
		return err
	}
	return db.record(ctx, q, audit.Event{Act: audit.ChangeBedside, Patient: patient, Code: "begins " + markCode(nil, audit.ChangeBedside, on.next(patient), nil)})
}

// SetBedside has the bed say something else of who lies in it, in somebody's name, who has seen change number b.N, and puts that on
// record: what was changed, not how. It is an [ErrBedsideChanged] if somebody was faster, and does nothing if nothing differs.
func (db *DB) SetBedside(ctx context.Context, patient uuid.UUID, bed, by string, b Bedside) error {
	keys, err := db.patientKeys(ctx, []uuid.UUID{patient})
	if err != nil {
		return err
	}
	if keys[patient] == nil {
		return errNoPatientKey
	}
	e := audit.Event{Act: audit.ChangeBedside, Patient: patient}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		row, err := q.LockStay(ctx, patient)
		if errors.Is(err, ErrNotFound) || err == nil && (row.BedsideN != b.N || row.BedID != bed) {
			return ErrBedsideChanged
		}
		if err != nil {
			return err
		}
		on, err := marksOf(ctx, q, audit.ChangeBedside, patient)
		if err != nil {
			return err
		}
		was, err := openBedside(keys[patient], patient, row.Bedside, row.BedsideN, row.BedsideAt, on)
		if err != nil {
			return err
		}
		changes := b.differs(was)
		if len(changes) == 0 {
			return errSame
		}
		at := time.Now().UTC().Truncate(time.Second)
		var fields []string
		for i := range changes {
			changes[i].At, changes[i].By = at, by
			fields = append(fields, changes[i].What)
		}
		b.Changes = append(changes, was.Changes...)
		b.Changes = b.Changes[:min(len(b.Changes), MaxBedsideChanges)]
		sealed, mark, err := b.seal(keys[patient].sealing(), keys[patient].chaining(), on.next(patient))
		if err != nil {
			return err
		}
		e.Code = strings.Join(fields, ", ") + " " + mark
		return q.SetBedside(ctx, patient, sealed)
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("change a bed: %w", err)
	}
	return nil
}

// errSame ends a transaction that would change nothing.
var errSame = errors.New("nothing differs")

// BoardBed is a bed of a board; Patient and Bedside are those of who lies there, if PatientID says that somebody does.
type BoardBed struct {
	queries.BoardBedsRow
	Patient Patient
	Bedside Bedside
}

// BoardBeds lists the beds of a unit in walking order. A bedside that does not open is one of which nobody has said anything, which
// the log says.
func (db *DB) BoardBeds(ctx context.Context, unit string) ([]BoardBed, error) {
	rows, err := db.Queries.BoardBeds(ctx, unit)
	if err != nil {
		return nil, err
	}
	var lying []queries.Patient
	var ids []uuid.UUID
	for _, r := range rows {
		if r.PatientID.Valid {
			lying, ids = append(lying, queries.Patient{ID: r.PatientID.UUID, Sealed: r.Sealed, Vip: r.Vip}), append(ids, r.PatientID.UUID)
		}
	}
	patients, err := db.openPatients(ctx, lying)
	if err != nil {
		return nil, err
	}
	keys, err := db.patientKeys(ctx, ids) // in memory by now
	if err != nil {
		return nil, err
	}
	on, err := marksOf(ctx, db.Queries, audit.ChangeBedside, ids...)
	if err != nil {
		return nil, err
	}
	beds := make([]BoardBed, len(rows))
	for i, r := range rows {
		beds[i].BoardBedsRow = r
		if !r.PatientID.Valid {
			continue
		}
		beds[i].Patient, patients = patients[0], patients[1:]
		beds[i].Bedside, err = openBedside(keys[r.PatientID.UUID], r.PatientID.UUID, r.Bedside, r.BedsideN, r.BedsideAt, on)
		if errors.Is(err, vault.ErrTampered) { // or it was read before what is on record of it was
			beds[i].Bedside, err = db.Bedside(ctx, r.PatientID.UUID)
		}
		if err != nil {
			db.log.Error("what a bed says does not open", "patient", r.PatientID.UUID, "err", err)
		}
	}
	return beds, nil
}

// plantBedside stores what the bed of a patient says at first.
func (db *DB) plantBedside(ctx context.Context, q *queries.Queries, patient uuid.UUID, b Bedside) error {
	row, err := q.DataKeysOfMany(ctx, int16(vault.OfPatient), []uuid.UUID{patient})
	if err != nil || len(row) == 0 {
		return errors.Join(err, errNoPatientKey)
	}
	key, err := db.unwrap(row[0])
	if err != nil {
		return err
	}
	on, err := marksOf(ctx, q, audit.ChangeBedside, patient)
	if err != nil {
		return err
	}
	sealed, mark, err := b.seal(key, key, on.next(patient))
	if err != nil {
		return err
	}
	if err := q.SetBedside(ctx, patient, sealed); err != nil {
		return err
	}
	return db.record(ctx, q, audit.Event{Act: audit.ChangeBedside, Patient: patient, Code: "at first " + mark})
}
