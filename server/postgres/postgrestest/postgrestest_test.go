package postgrestest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestEachURLIsAnEmptyDatabase(t *testing.T) {
	for range 2 {
		conn := connect(t, postgrestest.URL(t))
		if _, err := conn.Exec(t.Context(), "CREATE TABLE notes ()"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEachTestChangesItsOwnCopy: what is prepared is made once, and no test sees what another has changed.
func TestEachTestChangesItsOwnCopy(t *testing.T) {
	filled := 0
	prepared := postgrestest.Prepared{Fill: func(url string) error {
		filled++
		conn := connect(t, url)
		_, err := conn.Exec(t.Context(), "CREATE TABLE note (); INSERT INTO note DEFAULT VALUES")
		return errors.Join(err, conn.Close(t.Context()))
	}}
	for range 2 {
		conn := connect(t, prepared.URL(t))
		var rows int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&rows); err != nil || rows != 1 {
			t.Fatal(rows, err)
		}
		if _, err := conn.Exec(t.Context(), "INSERT INTO note DEFAULT VALUES"); err != nil {
			t.Fatal(err)
		}
	}
	if filled != 1 {
		t.Errorf("filled %d times", filled)
	}
}

func TestFrozenServerAnswersOnlyAfterThaw(t *testing.T) {
	conn := connect(t, postgrestest.URL(t))
	thaw := postgrestest.Freeze(t, postgrestest.Server(t))

	answer := make(chan error, 1)
	go func() { answer <- conn.Ping(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-answer:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	thaw()
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}
