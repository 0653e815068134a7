package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Patient is who somebody is. The database has all of it sealed, but for ID and Vip.
type Patient struct {
	ID        uuid.UUID
	Mrn       string // medical record number
	Family    string
	Given     string
	Title     string
	BirthDate time.Time
	Gender    string
	Allergies string // the banner's wording; absence of data is never "none"
	Vip       bool
}

// patientRecord is what is sealed of a patient: version 1 of it.
type patientRecord struct {
	MRN       string `json:"mrn"`
	Family    string `json:"family"`
	Given     string `json:"given"`
	Title     string `json:"title"`
	Born      string `json:"born"` // YYYY-MM-DD
	Gender    string `json:"gender"`
	Allergies string `json:"allergies"`
	Rev       uint64 `json:"rev,omitempty"` // how often it was written; 0: by a version that did not count
}

// Where what is about a patient is sealed for. Words belong to the broken glass that they are about.
var recordOfPatient = vault.Place{Kind: vault.PatientRecord, Schema: 1}

func wordsAt(kind vault.Kind, glass uuid.UUID) vault.Place {
	return vault.Place{Kind: kind, Schema: 1, With: glass[:]}
}

// padTo is to what multiple of bytes something is filled up that would say by its length what it is: names and words.
const padTo = 256

// sealValue seals a value as JSON, filled up with blanks.
func sealValue(key *vault.Key, at vault.Place, value any) ([]byte, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return sealJSON(key, at, b), nil
}

func sealJSON(key *vault.Key, at vault.Place, b []byte) []byte {
	return key.Seal(at, append(b, bytes.Repeat([]byte{' '}, (padTo-len(b)%padTo)%padTo)...))
}

func openValue(keys *keySet, at vault.Place, record []byte, value any) error {
	b, err := keys.open(at, record)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, value)
}

// sealPatient seals who a patient is, as their record of a number, and returns the hash by which they are found, and what the log of acts
// is told, by their first key.
func (db *DB) sealPatient(key, first *vault.Key, p Patient, rev uint64) (sealed, index []byte, code string, err error) {
	says, err := json.Marshal(patientRecord{
		MRN: p.Mrn, Family: p.Family, Given: p.Given, Title: p.Title, Born: p.BirthDate.Format(time.DateOnly), Gender: p.Gender, Allergies: p.Allergies,
		Rev: rev,
	})
	if err != nil {
		return nil, nil, "", err
	}
	return sealJSON(key, recordOfPatient, says), db.mrnIndex(p.Mrn), markCode(first, audit.ChangePatient, rev, says), nil
}

// mrnIndex is the hash by which a record number is found, however it is capitalised.
func (db *DB) mrnIndex(mrn string) []byte {
	return db.index.Index("mrn/v1", strings.ToUpper(strings.TrimSpace(mrn)))
}

// openIndex looks up the key of hashes, or makes it. A database whose patients are sealed has one: they would not be found by another.
func (db *DB) openIndex(ctx context.Context) error {
	name := vault.Name{Scope: vault.OfHospital, Epoch: 1}
	row, err := db.DataKey(ctx, int16(name.Scope), name.Owner, int32(name.Epoch))
	if errors.Is(err, pgx.ErrNoRows) {
		if sealed, err := db.PatientsSealed(ctx); err != nil {
			return err
		} else if sealed {
			return fmt.Errorf("the key of numbers is gone: %w", vault.ErrTampered)
		}
		if _, err := db.newDataKey(ctx, db.Queries, name, 1); err != nil {
			return err
		}
		row, err = db.DataKey(ctx, int16(name.Scope), name.Owner, int32(name.Epoch)) // another server may have been faster
	}
	if err != nil {
		return err
	}
	db.index, err = db.unwrap(row)
	return err
}

// insertPatient adds a patient, with a data key of their own, and returns what the log of acts is told.
func (db *DB) insertPatient(ctx context.Context, q *queries.Queries, p Patient) (code string, err error) {
	key, err := db.newDataKey(ctx, q, vault.Name{Scope: vault.OfPatient, Owner: p.ID, Epoch: 1}, 1)
	if err != nil {
		return "", err
	}
	sealed, index, code, err := db.sealPatient(key, key, p, 1)
	if err != nil {
		return "", err
	}
	class := classAt(p.BirthDate, time.Now())
	return code, q.InsertPatient(ctx, queries.InsertPatientParams{ID: p.ID, Sealed: sealed, MrnIndex: index, Vip: p.Vip, Retention: &class})
}

// PutPatient stores who somebody is: the patient of that number, or if there is none, a new one. With a bed, they lie there from now on. What
// cannot be is an [ErrHospital].
func (db *DB) PutPatient(ctx context.Context, p Patient, bed string) (id uuid.UUID, err error) {
	if db.vault == nil {
		return id, ErrNoKeys
	}
	if strings.TrimSpace(p.Mrn) == "" || p.Family == "" || p.BirthDate.IsZero() {
		return id, fmt.Errorf("%w: a patient has a number, a family name and a date of birth", ErrHospital)
	}
	e := audit.Event{Act: audit.ChangePatient}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		var mark string
		row, err := db.patientByMRN(ctx, q, p.Mrn)
		if errors.Is(err, pgx.ErrNoRows) {
			p.ID, e.Code = uuid.New(), "added"
			mark, err = db.insertPatient(ctx, q, p)
		} else if err == nil {
			p.ID, e.Code = row.Patient.ID, "identity"
			mark, err = db.updatePatient(ctx, q, p)
		}
		e.Patient = p.ID
		e.Code += " " + mark
		if err == nil && bed != "" {
			e.Code += " bed=" + bed // behind what must not be cut off
			if err = db.beginBedside(ctx, q, p.ID); err == nil {
				err = q.PutStay(ctx, p.ID, bed)
			}
		}
		return err
	})
	if IsTaken(err) || isMissing(err) {
		return id, fmt.Errorf("%w: there is no such bed, somebody lies in it, or the patient was added at this moment", ErrHospital)
	}
	return p.ID, err
}

// updatePatient writes over who a patient is, and returns what the log of acts is told.
func (db *DB) updatePatient(ctx context.Context, q *queries.Queries, p Patient) (code string, err error) {
	keys, err := db.patientKeys(ctx, []uuid.UUID{p.ID})
	if err != nil {
		return "", err
	}
	k := keys[p.ID]
	if k == nil {
		return "", errNoPatientKey
	}
	if _, err := q.LockPatient(ctx, p.ID); err != nil { // numbers are in the order of commits
		return "", err
	}
	on, err := marksOf(ctx, q, audit.ChangePatient, p.ID)
	if err != nil {
		return "", err
	}
	sealed, index, code, err := db.sealPatient(k.sealing(), k.chaining(), p, on.next(p.ID))
	if err != nil {
		return "", err
	}
	if _, err := q.UpdatePatient(ctx, p.ID, sealed, index); err != nil {
		return "", err
	}
	return code, q.ClassIfUndecided(ctx, p.ID, classAt(p.BirthDate, time.Now()))
}

// errNoPatientKey means that a patient's data key is gone, and with it who they are.
var errNoPatientKey = fmt.Errorf("data key of the patient is gone: %w", vault.ErrTampered)

// patientKeys returns the data keys of patients, as far as there are any.
func (db *DB) patientKeys(ctx context.Context, patients []uuid.UUID) (map[uuid.UUID]*keySet, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	keys, missing, asOf := db.whose.held(patients)
	if len(missing) == 0 {
		return keys, nil
	}
	slices.SortFunc(missing, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	rows, err := db.DataKeysOfMany(ctx, int16(vault.OfPatient), slices.Compact(missing))
	if err != nil {
		return nil, fmt.Errorf("look up data keys of patients: %w", err)
	}
	for _, row := range rows {
		key, err := db.unwrap(row)
		if errors.Is(err, sessions.ErrSealed) {
			return nil, err // as for all others, soon
		}
		if err != nil {
			db.log.Error("data key of a patient does not open", "patient", row.Owner, "err", err)
			continue
		}
		k := keys[row.Owner]
		if k == nil {
			k = &keySet{keys: make(map[uint32]*vault.Key), first: uint32(row.Epoch), until: time.Now().Add(keysKept)}
			keys[row.Owner] = k
		}
		k.keys[uint32(row.Epoch)], k.newest = key, bare(row)
	}
	for _, patient := range missing {
		if k := keys[patient]; k != nil {
			db.whose.keep(patient, k, asOf)
		}
	}
	return keys, nil
}

// openPatients opens who patients are, in their order. Who cannot be opened is unreadable, which the log says: one damaged record
// keeps nobody from the others.
func (db *DB) openPatients(ctx context.Context, rows []queries.Patient) ([]Patient, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	keys, err := db.patientKeys(ctx, ids)
	if err != nil {
		return nil, err
	}
	on, err := marksOf(ctx, db.Queries, audit.ChangePatient, ids...)
	if err != nil {
		return nil, err
	}
	patients := make([]Patient, len(rows))
	for i, row := range rows {
		if row.DestroyedAt != nil {
			patients[i] = destroyed(row)
		} else if patients[i], err = db.openMarked(ctx, keys[row.ID], row, on); err != nil {
			db.log.Error("record of a patient does not open", "patient", row.ID, "err", err)
			patients[i] = Patient{ID: row.ID, Family: Unreadable, Vip: row.Vip}
		}
	}
	return patients, nil
}

// Destroyed stands in lists for the name of a patient whose record was.
const Destroyed = "(destroyed)"

func destroyed(row queries.Patient) Patient {
	return Patient{ID: row.ID, Family: Destroyed, Vip: row.Vip}
}

// Unreadable stands in lists for the name of a patient whose record does not open.
const Unreadable = "(does not open)"

// OpenPatient opens who a patient is. Of one whose record was destroyed it says just that.
func (db *DB) OpenPatient(ctx context.Context, row queries.Patient) (Patient, error) {
	if row.DestroyedAt != nil {
		return destroyed(row), nil
	}
	keys, err := db.patientKeys(ctx, []uuid.UUID{row.ID})
	if err != nil {
		return Patient{}, err
	}
	on, err := marksOf(ctx, db.Queries, audit.ChangePatient, row.ID)
	if err != nil {
		return Patient{}, err
	}
	p, err := db.openMarked(ctx, keys[row.ID], row, on)
	if err != nil {
		return Patient{}, fmt.Errorf("patient %s: %w", row.ID, err)
	}
	return p, nil
}

// openMarked opens who a patient is, if it is what is on record.
func (db *DB) openMarked(ctx context.Context, keys *keySet, row queries.Patient, on marks) (Patient, error) {
	p, r, says, err := openPatient(keys, row)
	if err != nil {
		return Patient{}, err
	}
	if on.check(row.ID, keys, audit.ChangePatient, r.Rev, says) == nil {
		return p, nil
	}
	// It may have been read before what is on record of it was: now it is read after that.
	if row, err = db.PatientByID(ctx, row.ID); err != nil {
		return Patient{}, err
	}
	if p, r, says, err = openPatient(keys, row); err == nil {
		err = on.check(row.ID, keys, audit.ChangePatient, r.Rev, says)
	}
	return p, err
}

func openPatient(keys *keySet, row queries.Patient) (p Patient, r patientRecord, says []byte, err error) {
	if keys == nil {
		return p, r, nil, errNoPatientKey
	}
	if says, err = keys.open(recordOfPatient, row.Sealed); err != nil {
		return p, r, nil, err
	}
	if err := json.Unmarshal(says, &r); err != nil {
		return p, r, nil, err
	}
	born, err := time.Parse(time.DateOnly, r.Born)
	if err != nil {
		return p, r, nil, errors.New("no date of birth")
	}
	return Patient{
		ID: row.ID, Mrn: r.MRN, Family: r.Family, Given: r.Given, Title: r.Title, BirthDate: born, Gender: r.Gender, Allergies: r.Allergies, Vip: row.Vip,
	}, r, says, nil
}
