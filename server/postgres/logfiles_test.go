package postgres_test

import (
	"testing"
)

// TestLogFilesAreReady: what is laid out is there for commits to come, and not laid out again.
func TestLogFilesAreReady(t *testing.T) {
	t.Parallel()
	s := start(t, newDir(t))
	conn := connect(t, s.URL())
	const ahead = "SELECT count(*)::text FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn())"
	if got := show(t, conn, ahead); got >= "3" {
		t.Fatalf("%s files are ready before", got)
	}
	if err := s.LayOutLog(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got := show(t, conn, ahead); got < "3" {
		t.Errorf("%s files are ready", got)
	}
	const at = "SELECT pg_walfile_name(pg_current_wal_lsn())"
	before := show(t, conn, at)
	if err := s.LayOutLog(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if after := show(t, conn, at); after != before {
		t.Errorf("laid out again: the log goes on in %s, and was in %s", after, before)
	}
}
