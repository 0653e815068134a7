package server

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/demo/demotest"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// TestSigningIsDecided: who may sign, cosign, witness, freeze and amend, what each is shown before, and that who has not proven lately that
// it is them signs nothing; each refusal is on record.
func TestSigningIsDecided(t *testing.T) {
	db, _ := demotest.Open(t)
	hub := sessions.NewHub(db, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = hub.Close(context.Background()) })
	public, err := url.Parse("https://tidechart.test")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{DB: db, Hub: hub, Log: slog.New(slog.DiscardHandler), Version: "test", PublicURL: public, SecondFactor: login.FromNobody})
	ctx := t.Context()
	who := func(username string) login.Person {
		row, err := db.AnyoneByUsername(ctx, username)
		if err != nil {
			t.Fatal(err)
		}
		return login.Person{ID: row.ID, Username: username, Name: row.Name, Role: access.Role(row.Role), Proven: time.Now()}
	}
	resident, attending, student, nurse := who("okafor"), who("chen"), who("moreau"), who("rivera")
	rows, err := db.NotesFor(ctx, queries.NotesForParams{Person: attending.ID, Unit: "4-west", MaxRows: 100})
	if err != nil {
		t.Fatal(err)
	}
	var note uuid.UUID
	for _, row := range rows {
		if row.Note.Kind == "progress" && !row.Patient.Vip && row.Note.State == store.Draft {
			note = row.Note.ID
		}
	}
	sheet, st, err := s.signSheet(ctx, resident, note)
	if err != nil || !st.mayOnceFresh(access.SignNote) || len(sheet.Contributors) == 0 || len(sheet.Cosigners) == 0 {
		t.Fatalf("sheet %+v, %v", sheet.Contributors, err)
	}
	seen := sheet.Seen()
	stale := resident
	stale.Proven = time.Now().Add(-login.StepUp)
	refused := func(what string, err error, why access.Reason) {
		t.Helper()
		var d denial
		if !errors.As(err, &d) || d.reason != why {
			t.Errorf("%s: %v, want %s", what, err, why)
		}
	}
	_, err = s.signNote(ctx, stale, note, seen)
	refused("signed without proving again who it is", err, access.NotFresh)
	_, err = s.signNote(ctx, student, note, seen)
	refused("signed by a student", err, access.NotYourRole)
	_, err = s.signNote(ctx, nurse, note, seen)
	refused("a physicians' note signed by a nurse", err, access.NotYourKind)
	_, err = s.freezeNote(ctx, student, note, time.Minute)
	refused("frozen by a student", err, access.NotYourRole)

	if err := s.reviewNote(ctx, nurse, note, true); err != nil {
		t.Error(err)
	}
	if err := s.reviewNote(ctx, nurse, note, false); err != nil {
		t.Error(err)
	}
	f, err := s.freezeNote(ctx, attending, note, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	refused("written while frozen", s.reviewNote(ctx, nurse, note, true), access.BeingSigned)
	if grant, err := s.grant(ctx, nurse, note, byEditor); err != nil || !grant.ReadOnly || grant.Closed != sessions.Frozen || !grant.Again.Equal(f.Until) {
		t.Errorf("while frozen: %+v, %v", grant, err)
	}
	refused("let go by who may not write", s.letGoNote(ctx, student, note, f.Epoch), access.NoRelation)
	if err := s.letGoNote(ctx, nurse, note, f.Epoch); err != nil {
		t.Error(err)
	}

	if _, err := s.signNote(ctx, resident, note, seen); err != nil {
		t.Fatal(err)
	}
	if grant, err := s.grant(ctx, nurse, note, byEditor); err != nil || !grant.ReadOnly || grant.Closed != sessions.Sealed {
		t.Errorf("once signed: %+v, %v", grant, err)
	}
	_, err = s.signNote(ctx, attending, note, seen)
	refused("signed again", err, access.AlreadySigned)
	inbox, err := s.cosignInbox(ctx, attending)
	if err != nil || len(inbox) != 1 || inbox[0].Note.ID != note {
		t.Errorf("inbox: %+v, %v", inbox, err)
	}
	if none, err := s.cosignInbox(ctx, nurse); err != nil || none != nil {
		t.Errorf("a nurse's inbox: %+v, %v", none, err)
	}
	_, err = s.cosignNote(ctx, nurse, note, seen)
	refused("cosigned by a nurse", err, access.NotYourRole)
	if _, err := s.witnessNote(ctx, nurse, note, seen); err != nil {
		t.Error(err)
	}
	if _, err := s.cosignNote(ctx, attending, note, seen); err != nil {
		t.Error(err)
	}
	child, err := s.amendNote(ctx, nurse, note, signature.Addendum, "forgot the vitals")
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := s.unsignedNotes(ctx, nurse, "")
	if err != nil || len(unsigned) == 0 || unsigned[len(unsigned)-1].Note.ID != child {
		t.Errorf("unsigned: %d, %v", len(unsigned), err)
	}
	if of, err := s.unsignedNotes(ctx, attending, "4-west"); err != nil || len(of) <= len(unsigned) {
		t.Errorf("unsigned of the unit: %d, %v", len(of), err)
	}

	events, err := db.SearchAudit(ctx, queries.SearchAuditParams{Act: string(audit.Access), Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), MaxRows: 100})
	if err != nil {
		t.Fatal(err)
	}
	on := make(map[string]bool)
	for _, e := range events {
		if e.NoteID.UUID == note {
			on[e.Act+" "+e.Outcome+" "+e.Code] = true
		}
	}
	for _, want := range []string{string(audit.Access) + " refused sign note: sign-in not fresh", string(audit.Access) + " refused cosign note: not this role"} {
		if !on[want] {
			t.Errorf("not on record: %s", want)
		}
	}
}
