package store_test

import (
	"database/sql"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
)

// TestOldLossesKeepTheirTime: what was lost before logs were folded is said to be lost when it was; and a folded log
// is not given up by going back.
func TestOldLossesKeepTheirTime(t *testing.T) {
	db, err := sql.Open("pgx", postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := provider.UpTo(ctx, 9); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO facility VALUES ('f', 'F')`, `INSERT INTO unit VALUES ('u', 'f', 'U')`,
		`INSERT INTO person (id, username, name, role, color) VALUES ('00000000-0000-4000-8000-000000000001', 'a', 'A', 'nurse', 0)`,
		`INSERT INTO patient (id, mrn, family, given, birth_date, gender, allergies) VALUES ('00000000-0000-4000-8000-000000000002', '1', 'P', 'P', now(), '', '')`,
		`INSERT INTO note (id, patient_id, unit_id, kind, title, head, created_by) SELECT '00000000-0000-4000-8000-000000000003', patient.id, 'u', 'progress', '', 1, person.id FROM person, patient`,
		`INSERT INTO note_update (note_id, seq, author_id, data, at) SELECT id, 1, created_by, '\x0000', '2020-02-29 12:00:00.123456+00' FROM note`,
		`INSERT INTO note_loss SELECT id, 1, 0, created_by, created_by, 1, false, 1, '{1}', '{1}', '{1}', '{0}', '{}', '{}' FROM note`,
		`INSERT INTO note_copy SELECT id, 1, '{1}', '{1}', '{1}', '{1}', '{1}' FROM note`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	var at time.Time
	if err := db.QueryRowContext(ctx, "SELECT at FROM note_loss").Scan(&at); err != nil || !at.Equal(time.Date(2020, 2, 29, 12, 0, 0, 123456000, time.UTC)) {
		t.Errorf("lost at %v, %v", at, err)
	}
	if _, err := db.ExecContext(ctx, "UPDATE note_loss SET seq = 2"); err == nil {
		t.Error("losses can be changed")
	}
	if _, err := provider.DownTo(ctx, 8); err != nil {
		t.Error(err)
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO note_burst SELECT id, 1, 1, created_by, NULL, now(), 'x', sha256('x') FROM note"); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(ctx, 9); err == nil {
		t.Error("a folded log is given up")
	}
}

// TestServersMigrateInTurn: of those that start at once on a new database each comes up, whoever makes it.
func TestServersMigrateInTurn(t *testing.T) {
	url, keys := postgrestest.URL(t), newVault(t)
	const servers = 4
	failed := make(chan error, servers)
	for range servers {
		go func() {
			db, err := store.Open(t.Context(), url, keys)
			if err == nil {
				db.Close()
			}
			failed <- err
		}()
	}
	for range servers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
