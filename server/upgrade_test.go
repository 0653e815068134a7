package server_test

import (
	"database/sql"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// emptied takes away what migrations wrote, and has no trigger look at what comes next, as with pg_restore --disable-triggers.
const emptied = `SET session_replication_role = replica;
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP EXECUTE format('TRUNCATE %I CASCADE', t); END LOOP;
END $$;
`

// upgraded is a server on what a version before wrote: testdata has its rows as pg_dump --data-only gave them when migration 73 was the
// newest, and the key that they are sealed by, which seals nothing else. A resident's note is signed, cosigned and witnessed by statements of version 1, with a signed addendum, and one that is a draft.
func upgraded(t *testing.T) *hospital {
	t.Helper()
	url := postgrestest.URL(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 73); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("testdata/signed73.sql")
	if err != nil {
		t.Fatal(err)
	}
	(&hospital{t: t, url: url}).sql(emptied + string(rows))
	text, err := os.ReadFile("testdata/signed73.keys")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := vault.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	now, err := store.Open(t.Context(), url, keys) // which migrates
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(now.Close)
	h := serve(t, now, url)
	h.sql(`UPDATE person SET password_hash = $1`, login.HashPassword(demo.Password))
	h.note = uuid.MustParse(h.text(`SELECT note_id::text FROM note_signature GROUP BY note_id HAVING count(*) = 3`))
	return h
}

// proven is a note's bundle, of which everything holds: each signature is in the log of acts, and the log leads to what was signed.
func (h *hospital) proven(c *http.Client, note uuid.UUID) signature.Report {
	h.t.Helper()
	status, body, _ := h.get(c, "/notes/"+note.String()+"/note.json")
	if status != http.StatusOK {
		h.t.Fatalf("the bundle: %d %s", status, body)
	}
	b, err := signature.ReadBundle(strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	keys, err := h.db.NoteKeys(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	log, err := h.db.AuditRing(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := b.Verify(signature.Trust{Keys: []string{keys[0].Fingerprint()}, Log: log.Newest().Fingerprint()})
	if err != nil || !r.Whole {
		h.t.Fatalf("the bundle of %s: %v", note, err)
	}
	return r
}

// TestSignaturesOfAVersionBefore: what was signed before statements said who the patient is, and before anybody could follow a note's log, is shown, leaves
// as copies and as a bundle that holds, and is signed further and added to by the rules of now.
func TestSignaturesOfAVersionBefore(t *testing.T) {
	t.Parallel()
	h := upgraded(t)
	ada, path := h.signIn("ada"), "/notes/"+h.note.String()
	_, page, _ := h.get(ada, path)
	says(t, "the page", page, "two words", "and more", "Ada", "Bob", "Cy", "forgot it")
	if strings.Contains(page, "does not read as it was signed") {
		t.Error("the page says that it does not read as it was signed")
	}
	_, text, _ := h.get(ada, path+"/note.txt")
	says(t, "a copy", text, "SIGNED", "Signed as author: Ada", "Cosigned: Bob", "Signed as witness: Cy", "and more")

	r := h.proven(ada, h.note)
	if len(r.Notes) != 2 || len(r.Notes[0].Signatures) != 3 || r.Notes[0].Became != signature.Addendum {
		t.Fatalf("the bundle holds %+v", r.Notes)
	}
	for _, n := range r.Notes {
		if n.Signatures[0].Patient != uuid.Nil || n.History == nil || n.History.From != n.Signatures[0].Seq+1 || n.History.Entries == 0 { // its last link
			t.Errorf("of note %s: patient %s, history %+v", n.Note, n.Signatures[0].Patient, n.History)
		}
	}

	// Somebody witnesses it now, and the draft about it is written on and signed.
	h.sql(`INSERT INTO person (id, username, name, role, color, unit_id) VALUES (gen_random_uuid(), 'dee', 'Dee', 'nurse', 0, '4w')`)
	seen, err := h.db.Render(t.Context(), h.note)
	if err == nil {
		_, err = h.db.Witness(t.Context(), h.note, h.id("dee"), seen.Seen())
	}
	if err != nil {
		t.Fatal(err)
	}
	signed := h.note
	h.note = uuid.MustParse(h.text(`SELECT id::text FROM note WHERE state = 'draft'`))
	h.types("ada", "Written now.")
	if seen, err = h.db.Render(t.Context(), h.note); err == nil {
		_, err = h.db.Sign(t.Context(), h.note, h.id("ada"), seen.Seen())
	}
	if err != nil {
		t.Fatal(err)
	}
	sequencer, err := h.db.NewSequencer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.sql(`UPDATE audit_head SET signed = 'epoch'`)
	if _, err := sequencer.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = h.proven(ada, signed)
	if len(r.Notes) != 3 || len(r.Notes[0].Signatures) != 4 || r.Notes[0].Signatures[3].Patient == uuid.Nil || r.Notes[0].Signatures[3].Who.Family != "Test" {
		t.Fatalf("signed further, the bundle holds %+v", r.Notes)
	}
	for _, n := range r.Notes[1:] {
		if n.Note == h.note && (n.History.From != 2 || n.History.To != 2 || n.History.People != 1) {
			t.Errorf("the history of what was begun before: %+v", n.History)
		}
	}
	wrong := 0
	if err := h.db.CheckNotes(t.Context(), func(err error) {
		if err != nil {
			wrong++
			t.Error(err)
		}
	}); err != nil || wrong > 0 {
		t.Errorf("%d notes are wrong, %v", wrong, err)
	}
}
