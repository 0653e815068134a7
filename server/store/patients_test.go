package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// planted is a patient of whom nothing may be found.
var planted = store.Patient{
	Mrn: "PLANTED-4711", Family: "Plantedfamily", Given: "Plantedgiven", Title: "Plantedtitle", BirthDate: time.Date(1951, 3, 27, 0, 0, 0, 0, time.UTC),
	Gender: "Plantedgender", Allergies: "Known allergies: plantedpenicillin",
}

// plantedWords are all that would tell of them, and of what was said about access to their record.
var plantedWords = []string{
	planted.Mrn, planted.Family, planted.Given, planted.Title, "1951-03-27", planted.Gender, "plantedpenicillin", "planted reason", "planted finding",
}

// speak has somebody break the glass for a patient, and another close the review.
func (h hospital) speak(t *testing.T, patient uuid.UUID) uuid.UUID {
	t.Helper()
	id := uuid.New()
	if err := h.db.BreakGlass(t.Context(), queries.BreakGlassParams{ID: id, Person: h.author, Patient: patient, Reason: "other", Seconds: 60}, "planted reason", "none"); err != nil {
		t.Fatal(err)
	}
	if err := h.db.ReviewGlass(t.Context(), queries.ReviewGlassParams{GlassID: id, ByID: h.other, Finding: "appropriate"}, patient, "planted finding"); err != nil {
		t.Fatal(err)
	}
	return id
}

// checkPlanted sees to it that everything about the planted patient comes back.
func (h hospital) checkPlanted(t *testing.T, id uuid.UUID) {
	t.Helper()
	row, err := h.db.PatientByMRN(t.Context(), " planted-4711 ")
	if err != nil || row.Patient.ID != id {
		t.Fatalf("by number: %v, %v", row.Patient.ID, err)
	}
	want := planted
	want.ID = id
	if p, err := h.db.OpenPatient(t.Context(), row.Patient); err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	if sought, err := h.db.PatientSought(t.Context(), "Planted-4711"); err != nil || sought != id {
		t.Errorf("sought: %v, %v", sought, err)
	}
	glass, err := h.db.GlassFor(t.Context(), h.other, true, 10)
	if err != nil || len(glass) != 1 || glass[0].Words != "planted reason" || glass[0].ReviewWords != "planted finding" || glass[0].Patient != want {
		t.Errorf("%+v, %v", glass, err)
	}
}

// TestNoPatientLiesInTheClear: of who a patient is, and of words about access to their record, no file of Postgres has a trace,
// before and after keys are changed; of a version before, tables, log and dump have, until it is sealed.
func TestNoPatientLiesInTheClear(t *testing.T) {
	h := open(t)
	id, err := h.db.PutPatient(t.Context(), planted, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	h.speak(t, id)
	h.checkPlanted(t, id)
	words := append(slices.Clone(plantedWords), "planted phrase")
	phrase, err := h.db.PutPhrase(t.Context(), store.Phrase{Name: "mine", Text: "planted phrase", By: h.author})
	if err != nil {
		t.Fatal(err)
	}
	if places := found(t, h.url, words...); places != nil {
		t.Errorf("it is found in %v", places)
	}
	old := h.vault.ID()
	h.rotated(t)
	h.rewrap(t)
	if err := h.db.Retire(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	h.db = h.fresh(t)
	h.checkPlanted(t, id)
	if p, err := h.db.Phrase(t.Context(), h.author, phrase); err != nil || p.Text != "planted phrase" {
		t.Errorf("after a change of keys the phrase says %q, %v", p.Text, err)
	}
	if places := found(t, h.url, words...); places != nil {
		t.Errorf("after a change of keys it is found in %v", places)
	}
}

// A writerFunc is an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestPatientsOfBeforeAreSealed at the first start, with what was said about access to their records; who is stopped in between
// goes on, and the log says how far it is.
func TestPatientsOfBeforeAreSealed(t *testing.T) {
	h := hospital{url: postgrestest.URL(t), author: uuid.New(), other: uuid.New(), vault: newVault(t)}
	db, err := sql.Open("pgx", h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 28); err != nil {
		t.Fatal(err)
	}
	id, glass := uuid.New(), uuid.New()
	for who, name := range map[uuid.UUID]string{h.author: "ada", h.other: "bob"} {
		h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, $2, 'A', 'nurse', 0)`, who, name)
	}
	h.must(t, `INSERT INTO patient (id, mrn, family, given, title, birth_date, gender, allergies) VALUES ($1, $2, $3, $4, $5, $6, $7, $8),
		(gen_random_uuid(), '2', 'Somebody', 'Else', '', now(), '', '')`, id, planted.Mrn, planted.Family, planted.Given, planted.Title, planted.BirthDate, planted.Gender, planted.Allergies)
	h.must(t, `INSERT INTO glass (id, person_id, patient_id, reason, words, until) VALUES ($1, $2, $3, 'other', 'planted reason', now() + interval '1 minute')`, glass, h.author, id)
	h.must(t, `INSERT INTO glass_review (glass_id, by_id, finding, words) VALUES ($1, $2, 'appropriate', 'planted finding')`, glass, h.other)
	for _, word := range plantedWords {
		places := found(t, h.url, word)
		if word == "1951-03-27" { // a date is a number on disk
			places = append(places, "base", "pg_wal")
		}
		for _, where := range []string{"base", "pg_wal", "dump"} {
			if !slices.Contains(places, where) {
				t.Errorf("in the clear %q is not found in %s, but in %v", word, where, places)
			}
		}
	}

	h.must(t, `ANALYZE`) // Postgres keeps some values of each column
	migrated, err := store.Open(t.Context(), h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	migrated.Close()
	h.must(t, `ANALYZE`)
	h.must(t, `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF (SELECT count(*) FROM patient_in_clear) < 2 THEN RAISE EXCEPTION ''stopped''; END IF; RETURN NEW; END'`)
	h.must(t, `CREATE TRIGGER stop BEFORE UPDATE ON patient FOR EACH ROW EXECUTE FUNCTION stop()`)
	if db, err := store.Open(t.Context(), h.url, h.vault); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Fatalf("stopped in between: %v, %v", db, err)
	}
	h.must(t, `DROP TRIGGER stop ON patient`)
	// Stopped once more, when all are sealed and the tables are not written anew yet.
	var early bytes.Buffer
	stopped, stop := context.WithCancel(t.Context())
	defer stop()
	stops := slog.New(slog.NewTextHandler(writerFunc(func(line []byte) (int, error) {
		if bytes.Contains(line, []byte("writing a table anew")) {
			stop()
		}
		return early.Write(line)
	}), nil))
	if db, err := store.Open(stopped, h.url, h.vault, store.WithLog(stops)); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped before tables are written anew: %v, %v", db, err)
	}
	var said bytes.Buffer
	h.db, err = store.Open(t.Context(), h.url, h.vault, store.WithLog(slog.New(slog.NewTextHandler(&said, nil))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.db.Close)
	for _, want := range []string{"sealing patients of an earlier version", "done=1 of=1", "table=patient", "table=glass"} {
		if all := early.String() + said.String(); !strings.Contains(all, want) || strings.Contains(all, "lanted") {
			t.Errorf("the log does not say %q: %s", want, all)
		}
	}
	h.checkPlanted(t, id)
	for _, where := range found(t, h.url, plantedWords...) {
		if where != "pg_wal" { // it was written there, and goes with its segment
			t.Errorf("after it was sealed it is found in %s", where)
		}
	}
	if err := h.exec(t, `UPDATE glass SET words = words`); err == nil {
		t.Error("words can be changed once they are sealed")
	}
	if err := h.exec(t, `INSERT INTO patient (id, sealed, vip) VALUES (gen_random_uuid(), 'in the clear, and long enough for what is sealed', false)`); err == nil {
		t.Error("a patient without a number is taken")
	}
}

// TestTamperedPatients: whoever writes in the database makes nobody somebody else, in no place where it is read; and what they damage
// keeps nobody from the others.
func TestTamperedPatients(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	id, err := h.db.PutPatient(ctx, planted, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	h.patient = id
	note, glass := h.newNote(t), h.speak(t, id)
	other := planted
	other.Mrn, other.Family = "other", "Other"
	otherID, err := h.db.PutPatient(ctx, other, "")
	if err != nil {
		t.Fatal(err)
	}
	otherGlass := h.speak(t, otherID)
	for _, table := range []string{"patient", "data_key", "glass", "glass_review"} {
		h.must(t, `CREATE TABLE good_`+table+` AS SELECT * FROM `+table)
	}
	h.must(t, `ALTER TABLE glass DISABLE TRIGGER USER; ALTER TABLE glass_review DISABLE TRIGGER USER`)
	opens := func(db *store.DB) (names, words string) {
		t.Helper()
		beds, err := db.BedsFor(ctx, h.author, "4w")
		if err != nil || len(beds) != 2 || beds[0].Patient.Family != "Test" {
			t.Fatalf("another patient in the list: %+v, %v", beds, err)
		}
		rows, err := db.GlassFor(ctx, h.other, true, 10)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		for _, r := range rows {
			if r.Glass.ID == glass {
				words = r.Words + "; " + r.ReviewWords
			}
		}
		return beds[1].Patient.Family, words
	}
	h.must(t, `ALTER TABLE data_key DISABLE TRIGGER USER`)
	for what, attack := range map[string]struct {
		sql            string
		record, reason bool // what does not open then
	}{
		"a bit of the record":    {`UPDATE patient SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = $1`, true, false},
		"another's record":       {`UPDATE patient SET sealed = o.sealed FROM good_patient o WHERE patient.id = $1 AND o.id = '` + otherID.String() + `'`, true, false},
		"another's key":          {`UPDATE data_key SET wrapped = o.wrapped, commitment = o.commitment, tag = o.tag FROM good_data_key o WHERE data_key.owner = $1 AND o.owner = '` + otherID.String() + `'`, true, true},
		"no key":                 {`DELETE FROM data_key WHERE owner = $1`, true, true},
		"in the clear":           {`UPDATE patient SET sealed = '{"family": "Mallory and whatever else it takes"}' WHERE id = $1`, true, false},
		"words of another glass": {`UPDATE glass SET words = o.words FROM good_glass o WHERE glass.patient_id = $1 AND o.id = '` + otherGlass.String() + `'`, false, true},
		"the finding as reason":  {`UPDATE glass SET words = r.words FROM good_glass_review r WHERE glass.patient_id = $1 AND r.glass_id = glass.id`, false, true},
	} {
		h.must(t, attack.sql, id)
		db := h.fresh(t)
		name, words := opens(db)
		if bad := name == store.Unreadable; bad != attack.record || !bad && name != planted.Family {
			t.Errorf("%s: the name is %q", what, name)
		}
		if bad := strings.HasPrefix(words, store.Unreadable); bad != attack.reason || !bad && words != "planted reason; planted finding" {
			t.Errorf("%s: the words are %q", what, words)
		}
		if _, err := db.NoteByID(ctx, note); errors.Is(err, vault.ErrTampered) != attack.record && !errors.Is(err, vault.ErrSuite) {
			t.Errorf("%s: the note's page: %v", what, err)
		}
		db.Close()
		h.must(t, `DELETE FROM data_key; INSERT INTO data_key SELECT * FROM good_data_key`)
		h.must(t, `UPDATE patient SET sealed = o.sealed FROM good_patient o WHERE o.id = patient.id`)
		h.must(t, `UPDATE glass SET words = o.words FROM good_glass o WHERE o.id = glass.id`)
	}
	if name, words := opens(h.fresh(t)); name != planted.Family || words != "planted reason; planted finding" {
		t.Errorf("unchanged: %q, %q", name, words)
	}
	h.must(t, `DELETE FROM data_key WHERE scope = 4`)
	if _, err := store.Open(ctx, h.url, h.vault); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("without the key of numbers: %v", err)
	}
}

// TestSwappedNumbers: whoever swaps the hashes of two numbers has neither find the other's patient, nor an import write over their record.
func TestSwappedNumbers(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	id, err := h.db.PutPatient(ctx, planted, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	other := planted
	other.Mrn, other.Family = "other", "Other"
	otherID, err := h.db.PutPatient(ctx, other, "")
	if err != nil {
		t.Fatal(err)
	}
	h.must(t, `CREATE TABLE was AS SELECT id, mrn_index FROM patient`)
	h.must(t, `UPDATE patient SET mrn_index = sha256('') WHERE id = $1`, id) // two may not have one number
	const take = `UPDATE patient SET mrn_index = was.mrn_index FROM was WHERE patient.id = $1 AND was.id = $2`
	h.must(t, take, otherID, id)
	h.must(t, take, id, otherID)
	tampered := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, vault.ErrTampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, p := range []store.Patient{planted, other} {
		_, err := h.db.PatientByMRN(ctx, p.Mrn)
		tampered("found by number", err)
		_, err = h.db.PatientSought(ctx, p.Mrn)
		tampered("sought", err)
		_, err = h.db.PutPatient(ctx, p, "")
		tampered("imported", err)
	}
	if sought, err := h.db.PatientSought(ctx, "2"); err != nil || sought != id {
		t.Errorf("by bed: %v, %v", sought, err)
	}
	row, err := h.db.PatientByID(ctx, otherID)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.db.OpenPatient(ctx, row); err != nil || p.Family != "Other" {
		t.Errorf("%s, %v", p.Family, err)
	}
}

// TestNumbersAreFoundByHash: the same for one number however it is written, another for each number and in each hospital; and one number is
// one patient.
func TestNumbersAreFoundByHash(t *testing.T) {
	h, elsewhere := open(t), open(t)
	id, err := h.db.PutPatient(t.Context(), planted, "")
	if err != nil {
		t.Fatal(err)
	}
	moved := planted
	moved.Mrn, moved.Family = "planted-4711", "Married"
	if same, err := h.db.PutPatient(t.Context(), moved, ""); err != nil || same != id {
		t.Errorf("%v, %v", same, err)
	}
	if acts := one[string](t, h, `SELECT string_agg(regexp_replace(code, ' mark=.*', ''), '; ' ORDER BY n) FROM audit_event WHERE act = 'patient.change' AND patient_id = $1`, id); acts != "added rev=1; identity rev=2" {
		t.Errorf("on record: %s", acts)
	}
	if _, err := elsewhere.db.PutPatient(t.Context(), planted, ""); err != nil {
		t.Fatal(err)
	}
	hash := func(h hospital) []byte {
		row, err := h.db.PatientByMRN(t.Context(), planted.Mrn)
		if err != nil {
			t.Fatal(err)
		}
		return row.Patient.MrnIndex
	}
	if bytes.Equal(hash(h), hash(elsewhere)) {
		t.Error("two hospitals have the same hash")
	}
	if n := one[int](t, h, `SELECT count(DISTINCT mrn_index) FROM patient`); n != 2 {
		t.Errorf("%d hashes", n)
	}
	if _, err := h.db.PatientByMRN(t.Context(), "PLANTED-4712"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another number: %v", err)
	}
	for what, p := range map[string]store.Patient{"no number": {Family: "A", BirthDate: time.Now()}, "no name": {Mrn: "1", BirthDate: time.Now()}, "no birth": {Mrn: "1", Family: "A"}} {
		if _, err := h.db.PutPatient(t.Context(), p, ""); !errors.Is(err, store.ErrHospital) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, bed := range []string{"4w-1", "nowhere"} {
		if _, err := h.db.PutPatient(t.Context(), planted, bed); !errors.Is(err, store.ErrHospital) {
			t.Errorf("in bed %s: %v", bed, err)
		}
	}
}

// BenchmarkWorklist is what a worklist of 500 patients costs, all of them opened: the first time, and after it.
func BenchmarkWorklist(b *testing.B) {
	h := open(b)
	conn := h.db
	if err := conn.AddUnit(b.Context(), store.NewUnit{ID: "big", Name: "Big", Beds: 100}); err != nil {
		b.Fatal(err)
	}
	if err := conn.AddUnit(b.Context(), store.NewUnit{ID: "big", Beds: 200}); err != nil {
		b.Fatal(err)
	}
	if err := conn.AddUnit(b.Context(), store.NewUnit{ID: "big", Beds: 200}); err != nil {
		b.Fatal(err)
	}
	beds, err := conn.BedsFor(b.Context(), h.author, "big")
	if err != nil || len(beds) != 500 {
		b.Fatal(len(beds), err)
	}
	for _, bed := range beds {
		p := planted
		p.Mrn = bed.BedID
		if _, err := conn.PutPatient(b.Context(), p, bed.BedID); err != nil {
			b.Fatal(err)
		}
	}
	look := func(db *store.DB) {
		if beds, err := db.BedsFor(b.Context(), h.author, "big"); err != nil || beds[499].Patient.Family != planted.Family {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			db, err := store.Open(b.Context(), h.url, h.vault)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			look(db)
			b.StopTimer()
			db.Close()
			b.StartTimer()
		}
	})
	b.Run("after", func(b *testing.B) {
		for b.Loop() {
			look(h.db)
		}
	})
	b.Run("in database", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.db.Queries.BedsFor(b.Context(), h.author, "big"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
