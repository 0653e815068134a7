package store

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/sessions"
)

// TestCommitsReadNoWholeTable: what a commit costs does not grow with the hospital, not even before Postgres has counted
// its notes.
func TestCommitsReadNoWholeTable(t *testing.T) {
	db, err := Open(t.Context(), postgrestest.URL(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.commits.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for name, statement := range map[string]string{"lock (uuid[])": lockSQL, "append": appendSQL} {
		if _, err := conn.Exec(t.Context(), "PREPARE "+name+" AS "+statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, call := range []string{"lock(NULL)", "append(NULL" + strings.Repeat(", NULL", len(appendArguments(sessions.Batch{}))-1) + ")"} {
		rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS off) EXECUTE "+call)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range plan {
			byKey := i+1 < len(plan) && strings.Contains(plan[i+1], "Index Cond:")
			if strings.Contains(line, "Seq Scan on") || strings.Contains(line, "Index") && strings.Contains(line, "Scan") && !byKey {
				t.Errorf("%s reads a whole table:\n%s", call, strings.Join(plan, "\n"))
				break
			}
		}
	}
}
