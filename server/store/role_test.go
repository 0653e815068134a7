package store_test

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// TestServerRole: a server whose role is not the tables' owner does all its work, by the rights of docs/security/server-role.sql, and cannot
// change or remove what is on record, nor give itself the right to.
func TestServerRole(t *testing.T) {
	c := open(t).chained(t, 20)
	c.must(t, `ALTER TABLE note_update ENABLE TRIGGER ALL; ALTER TABLE note_burst ENABLE TRIGGER ALL; ALTER TABLE audit_event ENABLE TRIGGER ALL`)
	rights, err := os.ReadFile("../../docs/security/server-role.sql")
	if err != nil {
		t.Fatal(err)
	}
	role := "server_" + strings.ReplaceAll(uuid.NewString(), "-", "") // roles are the whole cluster's
	c.must(t, `CREATE ROLE `+role+` LOGIN`)
	defer func() { c.must(t, `DROP OWNED BY `+role+`; DROP ROLE `+role) }()
	c.must(t, strings.ReplaceAll(string(rights), "tidechart_server", role))
	at, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	asRole := at.Query()
	asRole.Set("role", role) // every connection's first; the test's Postgres asks the operating system who connects
	at.RawQuery = asRole.Encode()
	server := c.hospital
	server.url = at.String()
	if server.db, err = store.Open(t.Context(), server.url, c.vault); err != nil {
		t.Fatal(err)
	}
	defer server.db.Close()

	c.write(t, server.db, "as the server", 3)
	note := server.newNote(t)
	if err := server.db.SaveBase(t.Context(), note, 1, []byte{0, 0}); err != nil {
		t.Error(err)
	}
	if done, err := server.db.Fold(t.Context(), c.note, later()); err != nil || done.Rows == 0 {
		t.Errorf("folded: %+v, %v", done, err)
	}
	if _, err := server.db.Load(t.Context(), c.note); err != nil {
		t.Error(err)
	}
	s := server.sequencer(t)
	step(t, s)
	if _, _, _, err := server.db.RotateSigner(t.Context()); err != nil {
		t.Error(err)
	}
	c.due(t)
	step(t, s)
	if _, err := server.check(t); err != nil {
		t.Error(err)
	}
	if _, err := server.db.ThinCheckpoints(t.Context()); err != nil {
		t.Error(err)
	}
	if err := errors.Join(server.db.Sweep(t.Context()), server.db.Record(t.Context(), audit.Event{Act: "test"})); err != nil {
		t.Error(err)
	}

	if err := server.exec(t, `GRANT ALL ON audit_event TO `+role); err != nil { // which Postgres answers with a warning
		t.Error(err)
	}
	refused := []string{
		`UPDATE note_update SET data = data`, `UPDATE note_burst SET data = data`, `DELETE FROM note_burst`, `DELETE FROM audit_tile`, `DELETE FROM audit_head`,
		`ALTER TABLE audit_event DISABLE TRIGGER ALL`, `DROP TABLE audit_event`, `DELETE FROM goose_db_version`,
		`CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`, `SET session_replication_role = replica`,
	}
	for _, table := range []string{"audit_event", "audit_order", "audit_signer", "audit_checkpoint"} {
		refused = append(refused, `UPDATE `+table+` SET `+aColumn[table], `DELETE FROM `+table, `TRUNCATE `+table)
	}
	var unfolded *pgconn.PgError
	if err := server.exec(t, `DELETE FROM note_update`); !errors.As(err, &unfolded) || unfolded.Code != "23001" {
		t.Errorf("rows go that no burst holds: %v", err)
	}
	for _, sql := range refused {
		var refusal *pgconn.PgError
		if err := server.exec(t, sql); !errors.As(err, &refusal) || refusal.Code != "42501" { // no right to, whatever triggers say
			t.Errorf("the server may: %s: %v", sql, err)
		}
	}

	// What was destroyed it does not say to be erased, neither while it cannot do it, nor while it does not see who looks at it still.
	c.must(t, `ALTER TABLE shredding DISABLE TRIGGER USER`)
	c.must(t, `INSERT INTO shredding (id, patient_id, reason, words, asked_by, approved_by, approved_at, until, done_at)
		VALUES (gen_random_uuid(), $1, 'test', repeat('x', 40)::bytea, $2, $3, now(), now() + interval '1 hour', now())`, c.patient, c.author, c.other)
	erases := func(want error) {
		t.Helper()
		if _, err := server.db.Erase(t.Context()); !errors.Is(err, want) {
			t.Errorf("erasing: %v; want %v", err, want)
		}
		if n := one[int](t, c.hospital, `SELECT count(*) FROM shredding WHERE erased_at IS NOT NULL`); n != 0 {
			t.Errorf("%d records are said to be erased", n)
		}
	}
	erases(store.ErrNotOwner)
	for _, table := range []string{"data_key", "patient"} {
		c.must(t, `ALTER TABLE `+table+` OWNER TO `+role)
		defer func() { c.must(t, `ALTER TABLE `+table+` OWNER TO CURRENT_USER`) }()
	}
	erases(store.ErrNotOwner)
	c.must(t, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO `+role+`', current_database()); END $$`)
	defer func() {
		c.must(t, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), current_user); END $$`)
	}()
	erases(store.ErrUnseen)
}
