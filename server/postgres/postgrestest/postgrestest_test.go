package postgrestest_test

import (
	"context"
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
