package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// wrongPatients is what a check of a server that has just been started finds wrong with the records of patients.
func (h hospital) wrongPatients(t *testing.T) (wrong string) {
	t.Helper()
	err := h.fresh(t).CheckPatients(t.Context(), func(err error) {
		if err != nil {
			wrong += err.Error()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

// TestEarlierRecords: an earlier record of a patient, or an earlier word of their bed, or none, put back, is missed wherever it is read, with what an
// insert-only role can add to the log of acts; a patient who is written anew is as they were written.
func TestEarlierRecords(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := planted
	p.Allergies = "none"
	id, err := h.db.PutPatient(ctx, p, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.SetBedside(ctx, id, "4w-2", "x", store.Bedside{Code: "full"}); err != nil {
		t.Fatal(err)
	}
	h.must(t, `CREATE TABLE early AS SELECT patient.id, patient.sealed, stay.bedside FROM patient JOIN stay ON stay.patient_id = patient.id WHERE patient.id = $1`, id)
	p.Allergies = "penicillin"
	if _, err := h.db.PutPatient(ctx, p, ""); err != nil {
		t.Fatal(err)
	}
	if err := h.db.SetBedside(ctx, id, "4w-2", "x", store.Bedside{Code: "dnr", N: 1}); err != nil {
		t.Fatal(err)
	}
	h.must(t, `CREATE TABLE good AS SELECT patient.id, patient.sealed, patient.mrn_index, stay.bedside FROM patient JOIN stay ON stay.patient_id = patient.id WHERE patient.id = $1`, id)
	read := func() (allergies, code string) {
		t.Helper()
		db := h.fresh(t)
		defer db.Close()
		row, err := db.PatientByID(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := db.OpenPatient(ctx, row)
		if allergies = opened.Allergies; err != nil {
			if !errors.Is(err, vault.ErrTampered) {
				t.Errorf("it does not open: %v", err)
			}
			_, allergies, _ = strings.Cut(err.Error(), ": ")
			allergies, _, _ = strings.Cut(allergies, ": ")
		}
		beds, err := db.BoardBeds(ctx, "4w")
		if err != nil || len(beds) != 2 {
			t.Fatal(beds, err)
		}
		if (beds[1].Patient.Family == store.Unreadable) != (opened.Family == "") {
			t.Errorf("the board has %s, and the page %s", beds[1].Patient.Family, opened.Family)
		}
		b, err := db.Bedside(ctx, id)
		if code = b.Code; err != nil {
			code, _, _ = strings.Cut(err.Error(), ": ")
		}
		if err == nil && beds[1].Bedside.Code != b.Code || err != nil && beds[1].Bedside.Code != "" {
			t.Errorf("the board says %q, and the bed's page %q, %v", beds[1].Bedside.Code, b.Code, err)
		}
		return allergies, code
	}
	again := `INSERT INTO audit_event (act, outcome, patient_id, code) SELECT act, outcome, patient_id, code FROM audit_event WHERE code LIKE '%rev=1 mark=%' AND patient_id = '` + id.String() + `'`
	const putBack = `UPDATE patient SET sealed = o.sealed FROM early o WHERE o.id = patient.id`
	const bedBack = `UPDATE stay SET bedside = o.bedside FROM early o WHERE o.id = stay.patient_id`
	for _, tt := range []struct {
		what            string
		sql             []string
		allergies, code string
		checked         []string // words of what is found
	}{
		{"as it is", nil, "penicillin", "dnr", nil},
		{"an earlier record", []string{putBack}, "rolled back", "dnr", []string{"rolled back: patient.change of patient " + id.String() + " is number 1, and number 2 is on record"}},
		{"and its entry said again", []string{putBack, again}, "rolled back", "dnr", []string{"rolled back"}},
		{"an earlier word of the bed", []string{bedBack}, "penicillin", "rolled back", []string{"rolled back: patient.bedside of patient " + id.String() + " is number 1, and number 2 is on record"}},
		{"no word of the bed", []string{`UPDATE stay SET bedside = NULL`}, "penicillin", "rolled back", []string{"rolled back: patient.bedside"}},
		{"a number that finds nobody", []string{`UPDATE patient SET mrn_index = sha256('') WHERE id = (SELECT id FROM good)`}, "penicillin", "dnr", []string{"misplaced"}},
	} {
		for _, sql := range tt.sql {
			h.must(t, sql)
		}
		if allergies, code := read(); allergies != tt.allergies || code != tt.code {
			t.Errorf("%s: allergies %q, the bed says %q", tt.what, allergies, code)
		}
		wrong := h.wrongPatients(t)
		for _, want := range tt.checked {
			if !strings.Contains(wrong, want) {
				t.Errorf("%s: found: %s", tt.what, wrong)
			}
		}
		if tt.checked == nil && wrong != "" {
			t.Errorf("%s: found: %s", tt.what, wrong)
		}
		h.must(t, `UPDATE patient SET sealed = o.sealed, mrn_index = o.mrn_index FROM good o WHERE o.id = patient.id`)
		h.must(t, `UPDATE stay SET bedside = o.bedside FROM good o WHERE o.id = stay.patient_id`)
	}
	// Written anew, they are what somebody wrote; and a bed of theirs begins anew.
	h.must(t, putBack)
	if _, err := h.db.PutPatient(ctx, p, ""); err != nil {
		t.Fatal(err)
	}
	h.must(t, `DELETE FROM stay WHERE patient_id = $1`, id)
	if _, err := h.db.PutPatient(ctx, p, "4w-2"); err != nil {
		t.Fatal(err)
	}
	if allergies, code := read(); allergies != "penicillin" || code != "" {
		t.Errorf("written anew: allergies %q, the bed says %q", allergies, code)
	}
	// A database of before, whose log says nothing of it, says it from its first start on.
	h.must(t, `GRANT ALL ON audit_event TO CURRENT_USER; ALTER TABLE audit_event DISABLE TRIGGER ALL; DELETE FROM audit_event WHERE code LIKE '%mark=%'; UPDATE sealing SET marks = false`)
	h.fresh(t).Close()
	if n := one[int](t, h, `SELECT count(*) FROM audit_event WHERE act = 'patient.change' AND code LIKE 'as it was rev=% mark=%'`); n != 2 {
		t.Errorf("%d records are on record", n)
	}
	h.must(t, putBack)
	if allergies, _ := read(); allergies == "none" {
		t.Error("an earlier record opens")
	}
}

// TestThreadsLoseNothing: what was done last in a thread, taken away, is missed; and so is what nobody did.
func TestThreadsLoseNothing(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	note := h.newNote(t)
	id, err := h.db.BeginThread(ctx, note, h.author, nil, "stop the warfarin")
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range []store.ThreadAct{{Do: store.Resolve, By: h.other}, {Do: store.Say, By: h.other, Words: "or not"}, {Do: store.Reopen, By: h.other}} {
		if err := h.db.InThread(ctx, note, id, act); err != nil {
			t.Fatal(err)
		}
	}
	h.must(t, `ALTER TABLE thread_act DISABLE TRIGGER USER; ALTER TABLE thread DISABLE TRIGGER USER; CREATE TABLE good AS TABLE thread_act; CREATE TABLE good_thread AS TABLE thread`)
	for what, sql := range map[string]string{
		"as it is":              ``,
		"the last is gone":      `DELETE FROM thread_act WHERE n = 4`,
		"the last two are gone": `DELETE FROM thread_act WHERE n > 2`,
		"resolved by nobody":    `INSERT INTO thread_act (thread_id, n, note_id, by_id, act) SELECT thread_id, 5, note_id, by_id, act FROM thread_act WHERE n = 2`,
		"resolved by another":   `UPDATE thread_act SET by_id = (SELECT by_id FROM thread_act WHERE n = 1) WHERE n = 2`,
		"all of it is gone":     `DELETE FROM thread_act; DELETE FROM thread`,
		"never reopened":        `UPDATE thread_act SET act = 'resolved' WHERE n = 4`,
	} {
		h.must(t, sql)
		threads, err := h.fresh(t).Threads(ctx, note)
		if bad := errors.Is(err, vault.ErrTampered); bad != (sql != "") || !bad && (err != nil || len(threads) != 1 || len(threads[0].Acts) != 4) {
			t.Errorf("%s: %+v, %v", what, threads, err)
		}
		if err := h.db.InThread(ctx, note, id, store.ThreadAct{Do: store.Reopen, By: h.other}); what != "all of it is gone" && errors.Is(err, vault.ErrTampered) != (sql != "") {
			t.Errorf("%s, and then: %v", what, err)
		}
		h.must(t, `DELETE FROM thread_act; DELETE FROM thread; INSERT INTO thread TABLE good_thread; INSERT INTO thread_act TABLE good`)
	}
}

// TestThreadsStandWhereTheyWerePut: that a thread is about a place where its text stood before is noticed, by whoever reads or moves it.
func TestThreadsStandWhereTheyWerePut(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	note := h.newNote(t)
	at := func(clock uint64) store.TextPlace {
		return store.PlaceOf(crdt.ID{Client: 7, Clock: clock}, crdt.ID{Client: 7, Clock: clock + 4}, "stop", nil)
	}
	first := at(0)
	id, err := h.db.BeginThread(ctx, note, h.author, &first, "stop the warfarin")
	if err != nil {
		t.Fatal(err)
	}
	h.must(t, `ALTER TABLE thread DISABLE TRIGGER USER; CREATE TABLE place AS SELECT 0 AS n, place FROM thread`)
	for n := range 2 {
		if err := h.db.PlaceThread(ctx, note, id, at(uint64(n+1)*10)); err != nil {
			t.Fatal(err)
		}
		h.must(t, fmt.Sprintf(`INSERT INTO place SELECT %d, place FROM thread`, n+1))
	}
	for n := range 3 {
		h.must(t, fmt.Sprintf(`UPDATE thread SET place = (SELECT place FROM place WHERE n = %d)`, n))
		threads, err := h.fresh(t).Threads(ctx, note)
		if n == 2 {
			if err != nil || len(threads) != 1 || threads[0].Place.Start.Clock != 20 || threads[0].Place.Moved != 2 {
				t.Errorf("as it is: %+v, %v", threads, err)
			}
			continue
		}
		want := fmt.Sprintf("rolled back: note.thread of thread %s is number %d, and number 2 is on record", id, n)
		if !errors.Is(err, vault.ErrTampered) || !strings.Contains(err.Error(), want) {
			t.Errorf("put back to %d: %v", n, err)
		}
		if err := h.db.PlaceThread(ctx, note, id, at(30)); !errors.Is(err, vault.ErrTampered) {
			t.Errorf("moved on from %d: %v", n, err)
		}
	}
}
