package store_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/sessions"
)

// TestKeysAreBackedUpApart, as docs/security/keys.md says: a backup of the rest has no key. With keys of later, when a note had been
// destroyed, it opens all but that note; and keys of before bring nothing back that a backup knows to be destroyed.
func TestKeysAreBackedUpApart(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx, dir := t.Context(), t.TempDir()
	bin, err := postgres.Find()
	if err != nil {
		t.Fatal(err)
	}
	run := func(program string, args ...string) {
		t.Helper()
		if said, err := exec.CommandContext(ctx, filepath.Join(bin, program), args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", program, err, said)
		}
	}
	dump := func(name string) {
		t.Helper()
		run("pg_dump", "--format=custom", "--file="+filepath.Join(dir, "records."+name), "--exclude-table-data=data_key", "--exclude-table-data=kek",
			"--exclude-table-data=retired_kek", "--dbname="+d.url)
		run("pg_dump", "--format=custom", "--file="+filepath.Join(dir, "keys."+name), "--data-only", "--table=data_key", "--table=kek", "--table=retired_kek", "--dbname="+d.url)
	}
	// restore opens what a server would that is started on both.
	restore := func(records, keys string) (restored hospital) {
		t.Helper()
		restored = d.hospital
		restored.url = postgrestest.URL(t)
		run("pg_restore", "--exit-on-error", "--dbname="+restored.url, filepath.Join(dir, "records."+records))
		if n := one[int](t, restored, `SELECT count(*) FROM data_key`); n != 0 {
			t.Errorf("a backup without keys has %d", n)
		}
		run("pg_restore", "--exit-on-error", "--data-only", "--dbname="+restored.url, filepath.Join(dir, "keys."+keys))
		return restored
	}

	gone, stays := d.newNote(t), d.newNote(t)
	dump("before")
	request := d.agree(t, d.note(gone))
	if _, err := d.db.Shred(ctx, request); err != nil {
		t.Fatal(err)
	}
	dump("after")

	older := restore("before", "after")
	db := older.fresh(t)
	if log, err := db.Load(ctx, stays); err != nil || log.Head != 1 {
		t.Errorf("what was not destroyed: %v", err)
	}
	if log, err := db.Load(ctx, gone); err == nil {
		t.Errorf("what was destroyed opens from an older backup, with %d rows", len(log.Tail))
	}
	if clear, err := db.NotesInTheClear(ctx); err != nil || len(clear) != 1 || clear[0] != gone {
		t.Errorf("without a key are %v, %v", clear, err)
	}

	newer := restore("after", "before")
	db = newer.fresh(t)
	if log, err := db.Load(ctx, stays); err != nil || log.Head != 1 {
		t.Errorf("what was not destroyed: %v", err)
	}
	if _, err := db.Load(ctx, gone); !errors.Is(err, sessions.ErrDestroyed) {
		t.Errorf("what was destroyed: %v", err)
	}
	if n := one[int](t, newer, `SELECT count(*) FROM data_key WHERE owner = $1`, gone); n != 0 {
		t.Errorf("older keys bring %d back", n)
	}
}
