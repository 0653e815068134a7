package e2e

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
)

// postgresTree lists the processes of the private Postgres, the postmaster
// first; none when it does not run.
func (s *server) postgresTree() []int {
	cluster, err := filepath.EvalSymlinks(filepath.Join(s.data, "postgres"))
	if err != nil {
		return nil
	}
	return postgres.Processes(cluster)
}

// freezePostgres stops every process of the database, until the test ends or
// thaws it. The postmaster stops first, so that no process is born meanwhile.
func (s *server) freezePostgres(t *testing.T) {
	t.Helper()
	t.Cleanup(s.thawPostgres)
	s.signalPostgres(t, syscall.SIGSTOP)
	s.signalPostgres(t, syscall.SIGSTOP) // what was born before the postmaster stopped
}

func (s *server) thawPostgres() {
	for _, pid := range slices.Backward(s.postgresTree()) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// killPostgres ends every process of the database at once, unasked.
func (s *server) killPostgres(t *testing.T) {
	t.Helper()
	s.signalPostgres(t, syscall.SIGKILL)
}

func (s *server) signalPostgres(t *testing.T, sig syscall.Signal) {
	t.Helper()
	pids := s.postgresTree()
	if len(pids) == 0 {
		t.Fatalf("no Postgres runs in %s/postgres", s.data)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatalf("signal %v to postgres %d: %v", sig, pid, err)
		}
	}
}

// db connects to the private Postgres.
func (s *server) db(t *testing.T) *pgx.Conn {
	t.Helper()
	url, err := postgres.Running(s.data)
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, url)
}

// connect is a connection that ends with the test.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// checkLog fails unless the note's log is seq 1 … head without a hole (I4), and
// each row's author sat at the note in the row's session, or began the note.
func (s *server) checkLog(t *testing.T, note string) {
	t.Helper()
	const query = `
		SELECT n.head, count(u.seq), coalesce(min(u.seq), 1), coalesce(max(u.seq), 0)
		  FROM note n LEFT JOIN note_update u ON u.note_id = n.id
		 WHERE n.id = $1 GROUP BY n.head`
	var head, rows, first, last int64
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.db(t).QueryRow(ctx, query, note).Scan(&head, &rows, &first, &last); err != nil {
		t.Fatal(err)
	}
	if rows != head || first != 1 || last != head {
		t.Errorf("log of note %s: head %d, %d rows from seq %d to %d; want seq 1 … head without a hole", note, head, rows, first, last)
	}
	const strangers = `
		SELECT count(*)
		  FROM note_update u JOIN note n ON n.id = u.note_id
		 WHERE n.id = $1
		   AND NOT (u.session_id IS NULL AND u.author_id = n.created_by)
		   AND NOT EXISTS (SELECT FROM participation p JOIN session s ON s.id = p.session_id
		                    WHERE s.note_id = n.id AND s.id = u.session_id AND p.person_id = u.author_id)`
	var n int64
	if err := s.db(t).QueryRow(ctx, strangers, note).Scan(&n); err != nil || n != 0 {
		t.Errorf("log of note %s: %d rows are of people who were not there, %v", note, n, err)
	}
}
